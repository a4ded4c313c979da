"""Retries: when a request is sent again, and how long to wait before."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from ppocr_api.errors import DeadlineExceeded, PpocrError, RetryableError


@dataclass
class Attempts:
    """The time limit and retries of one request. `timeout` seconds cover all tries and the waits between them."""

    timeout: float
    retries: int

    def __post_init__(self) -> None:
        self._until = time.monotonic() + self.timeout
        self._made = 0

    def remaining(self) -> float:
        """Seconds left for the next try. Raises DeadlineExceeded if there are none."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded(f"no answer within {self.timeout:g} s")
        return left

    def wait(self, error: PpocrError) -> float:
        """Seconds to wait before the next try; raises `error` where another one is not allowed or would come too late.

        At least what the service asked for, then growing and scattered, so that clients refused together don't
        come back together.
        """
        if not isinstance(error, RetryableError) or self._made >= self.retries:
            raise error
        asked = error.retry_after or 0.0
        pause = asked + random.uniform(0.1, 0.2) * 2.0**self._made
        self._made += 1
        if time.monotonic() + pause >= self._until:
            raise error
        return pause
