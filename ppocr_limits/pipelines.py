"""Limits pipelined requests: those sent before earlier ones on the connection are answered.

uvicorn makes an object of each as soon as its head is there, and reads on whenever one of them is answered. A head of 18 bytes
takes 2.5 KB then, so that a single connection would fill any memory. Here nothing is read while some wait, and those that one
reading brings are counted, for all connections together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sized

from uvicorn.protocols.http.flow_control import FlowControl


class Pipelines:
    """At most `limit` requests that wait behind others, of a server's connections together."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting = 0

    def come(self, count: int) -> bool:
        """Whether `count` more, or fewer if it is negative, are still within the limit."""
        self._waiting += count
        return self._waiting <= self._limit


class PatientFlow(FlowControl):
    """Reads nothing more as long as requests wait in `pipeline`."""

    def __init__(self, transport: asyncio.Transport, pipeline: Sized) -> None:
        super().__init__(transport)
        self._pipeline = pipeline

    def resume_reading(self) -> None:
        if not self._pipeline:
            super().resume_reading()
