"""Runs blocking work in daemon threads, which don't keep the process alive."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


async def in_thread(function: Callable[[], T], name: str) -> T:
    """Returns or raises what `function` does, in a daemon thread. A thread of `asyncio.to_thread` would keep the process alive.

    A thread can't be stopped: if the awaiting task is cancelled, the thread continues and its result is lost.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(set_outcome: Callable[[Any], None], outcome: Any) -> None:
        if not future.done():
            set_outcome(outcome)

    def run() -> None:
        set_outcome: Callable[[Any], None] = future.set_result
        outcome: Any
        try:
            outcome = function()
        except BaseException as error:
            set_outcome, outcome = future.set_exception, error
        with contextlib.suppress(RuntimeError):  # the event loop was closed meanwhile
            loop.call_soon_threadsafe(settle, set_outcome, outcome)

    threading.Thread(target=run, name=name, daemon=True).start()
    return await future
