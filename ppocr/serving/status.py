"""Converts any exception to an HTTP or gRPC answer. Only messages written for callers are sent."""

from __future__ import annotations

import logging

import grpc
from kserve.errors import InvalidInput, ModelNotFound, ModelNotReady, ServerNotLive, ServerNotReady

from ppocr.call import Call
from ppocr_api.error_mapping import RETRY_AFTER, retry_after
from ppocr_api.errors import DeadlineExceeded, InvalidRequest, NotFound, PpocrError, Unauthorized, Unavailable

log = logging.getLogger("ppocr.serving")


def as_ppocr(error: BaseException, call: Call | None = None) -> PpocrError:
    """Converts `error` to an error of our tree; errors not meant for callers become 'internal error'.

    Logs errors of the service, so call it once per error. A deadline set by the client of `call` isn't logged.
    """
    try:
        return _known(error, call)
    finally:
        _forget_frames(error)


def _forget_frames(error: BaseException | None) -> None:
    """Removes the tracebacks from `error` and its causes, after they were logged.

    Their frames hold the request's body and tensors. If one of these frames holds the error, it is a reference cycle, which
    Python's garbage collector frees only later, by the number of objects and not by their size.
    """
    while error is not None and error.__traceback__ is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__


def _known(error: BaseException, call: Call | None) -> PpocrError:
    if isinstance(error, PpocrError):
        own_limit = isinstance(error, DeadlineExceeded) and call is not None and call.hurried
        if type(error).http >= 500 and error.retry_after is None and not own_limit:
            log.error("%s: %s", type(error).__name__, error)
        return error
    if isinstance(error, ModelNotFound):
        return NotFound(str(error))
    if isinstance(error, InvalidInput):
        return InvalidRequest(str(error))
    if isinstance(error, ModelNotReady | ServerNotReady | ServerNotLive):
        return Unavailable(str(error))
    log.error("unexpected error", exc_info=error)
    return PpocrError("internal error")


def http_answer(error: PpocrError) -> tuple[int, dict[str, str], dict[str, str]]:
    """Status, JSON content and headers."""
    seconds = retry_after(error)
    headers = dict(error.headers)
    if seconds is not None:
        headers[RETRY_AFTER] = seconds
    if isinstance(error, Unauthorized):
        headers["www-authenticate"] = "Bearer"
    return int(error.http), {"error": error.message}, headers


def grpc_answer(error: PpocrError) -> tuple[grpc.StatusCode, str, tuple[tuple[str, str], ...]]:
    """Code, details and trailing metadata."""
    seconds = retry_after(error)
    code: grpc.StatusCode = getattr(grpc.StatusCode, error.grpc)
    return code, error.message, () if seconds is None else ((RETRY_AFTER, seconds),)
