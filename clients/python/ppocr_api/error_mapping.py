"""The mapping between errors and the status codes of HTTP and gRPC, in both directions.

A service answers with `error.http` or `error.grpc`, and with `retry_after` if there is one. In the other direction, `from_http`
and `from_grpc` create the error for a code. Clients use them, and the transformer uses them for the predictor's answers.
"""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Final

from ppocr_api.errors import (
    DeadlineExceeded,
    InvalidRequest,
    NotFound,
    Overloaded,
    PayloadTooLarge,
    PpocrError,
    RequestError,
    RetryableError,
    Unauthorized,
    Unavailable,
    UnsupportedMedia,
)

#: The header of HTTP, and the key in the trailing metadata of gRPC.
RETRY_AFTER: Final = "retry-after"

#: What a code stands for on the way back. Several errors share a code; the first one with it is meant.
_KINDS: Final[tuple[type[PpocrError], ...]] = (
    InvalidRequest,
    NotFound,
    PayloadTooLarge,
    Unauthorized,
    UnsupportedMedia,
    Overloaded,
    Unavailable,
    DeadlineExceeded,
)
_BY_STATUS: Final = {int(kind.http): kind for kind in reversed(_KINDS)}
_BY_CODE: Final[dict[str, type[PpocrError]]] = {
    **{kind.grpc: kind for kind in reversed(_KINDS)},
    "UNIMPLEMENTED": NotFound,
    # gRPC's own codes for a connection or a server that went away under a call.
    "CANCELLED": Unavailable,
    "UNKNOWN": Unavailable,
}


def retry_after(error: PpocrError) -> str | None:
    """The value of Retry-After: whole seconds, rounded up, at least 1. None if the same request would fail again."""
    seconds = error.retry_after
    return None if seconds is None else str(max(1, math.ceil(seconds)))


def from_http(status: int, message: str, retry_after: str | None = None) -> PpocrError:
    """The error that an HTTP status stands for; `retry_after` is the header of that name."""
    if kind := _BY_STATUS.get(status):
        return _made(kind, message, retry_after)
    base = RequestError if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR else PpocrError
    return base(f"{message} (status {status})")


def from_grpc(code: str, message: str, retry_after: str | None = None) -> PpocrError:
    """The error that a gRPC code stands for, by the code's name; `retry_after` is the metadata of that name.

    gRPC itself refuses a message over a size limit with RESOURCE_EXHAUSTED, the code of a full queue: it is too large
    every time, so it is PayloadTooLarge here.
    """
    if code == Overloaded.grpc and "larger than max" in message:
        return PayloadTooLarge(message)
    if kind := _BY_CODE.get(code):
        return _made(kind, message, retry_after)
    return PpocrError(f"{message} (code {code})")


def _made(kind: type[PpocrError], message: str, retry_after: str | None) -> PpocrError:
    return kind(message, seconds_to_wait(retry_after)) if issubclass(kind, RetryableError) else kind(message)


def seconds_to_wait(retry_after: str | None) -> float:
    """Seconds of a Retry-After. One second without it, and for a date, which proxies may send."""
    try:
        seconds = float(retry_after) if retry_after else 1.0
    except ValueError:
        return 1.0
    return max(0.0, seconds) if math.isfinite(seconds) else 1.0
