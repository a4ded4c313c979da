"""When a request is sent again, how long to wait for that, and what error a status stands for."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from http import HTTPStatus

from ppocr_api.errors import (
    DeadlineExceeded,
    InvalidRequest,
    NotFound,
    Overloaded,
    PayloadTooLarge,
    PpocrError,
    RequestError,
    RetryableError,
    Unavailable,
    UnsupportedMedia,
)

_BY_STATUS: dict[int, type[PpocrError]] = {
    HTTPStatus.BAD_REQUEST: InvalidRequest,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: PayloadTooLarge,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: UnsupportedMedia,
    HTTPStatus.GATEWAY_TIMEOUT: DeadlineExceeded,
}
_BY_CODE: dict[str, type[PpocrError]] = {
    "INVALID_ARGUMENT": InvalidRequest,
    "NOT_FOUND": NotFound,
    "UNIMPLEMENTED": NotFound,
    "DEADLINE_EXCEEDED": DeadlineExceeded,
}


def from_status(status: int, sentence: str, retry_after: str | None = None) -> PpocrError:
    """The error that an HTTP answer stands for; `retry_after` is the header of that name."""
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        kind = Overloaded if status == HTTPStatus.TOO_MANY_REQUESTS else Unavailable
        return kind(sentence, _seconds(retry_after))
    if status in _BY_STATUS:
        return _BY_STATUS[status](sentence)
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return RequestError(f"{sentence} (status {status})")
    return PpocrError(f"{sentence} (status {status})")


def from_code(code: str, sentence: str, retry_after: str | None = None) -> PpocrError:
    """The error that a gRPC status stands for; `code` is its name."""
    if code == "RESOURCE_EXHAUSTED":
        # gRPC itself says the same of a message over its size limit, and that one stays too large.
        if "larger than max" in sentence:
            return PayloadTooLarge(sentence)
        return Overloaded(sentence, _seconds(retry_after))
    if code == "UNAVAILABLE":
        return Unavailable(sentence, _seconds(retry_after))
    return _BY_CODE[code](sentence) if code in _BY_CODE else PpocrError(f"{sentence} (code {code})")


def _seconds(retry_after: str | None) -> float:
    """Seconds of a Retry-After; a date, which proxies may send, counts as one second."""
    try:
        return max(0.0, float(retry_after)) if retry_after else 1.0
    except ValueError:
        return 1.0


@dataclass
class Attempts:
    """One request's time and tries. `timeout` seconds cover all tries and the waits between them."""

    timeout: float
    retries: int

    def __post_init__(self) -> None:
        self._until = time.monotonic() + self.timeout
        self._made = 0

    def remaining(self) -> float:
        """Seconds left for the next try. Raises DeadlineExceeded where there are none."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded(f"no answer within {self.timeout:g} s")
        return left

    def wait(self, error: PpocrError) -> float:
        """Seconds to wait before the next try; raises `error` where another one is not allowed or would come too late.

        At least what the service asked for, then growing and scattered, so that clients turned away together don't
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
