"""The one error tree. Each class carries the HTTP status and the gRPC code that a caller gets.

PpocrError                      500 INTERNAL            an error inside the service
├── RequestError                400 INVALID_ARGUMENT    the caller can fix the request
│   ├── InvalidRequest          400                     JSON, base64, shape, dtype, parameter
│   ├── InvalidImage            400                     truncated, damaged, refused format
│   │   └── NotAnImage          400                     an unsupported format
│   ├── ImageTooLarge           413                     more pixels or bytes than the limit
│   ├── PayloadTooLarge         413                     a body over the limit
│   ├── Unauthorized            401 UNAUTHENTICATED     missing or unknown key
│   ├── UnsupportedMedia        415                     unsupported content type or encoding
│   ├── MethodNotAllowed        405 UNIMPLEMENTED       a method that the route doesn't support
│   └── NotFound                404 NOT_FOUND           no such model, version or route
├── Overloaded                  429 RESOURCE_EXHAUSTED  a bounded queue is full; try again later
├── Unavailable                 503 UNAVAILABLE         not ready, draining, or no predictor
├── DeadlineExceeded            504 DEADLINE_EXCEEDED   dropped before or while it was computed
├── BadAnswer                   502 INTERNAL            the predictor's answer is malformed
├── Cancelled                   499 CANCELLED           the client has disconnected
├── EngineError                 500 INTERNAL            the network failed on this input
│   └── EngineOutOfMemory       503 UNAVAILABLE         smaller batches may work
├── BundleError                 503 UNAVAILABLE         a model is missing, corrupt or of the wrong type
└── ConfigError                 500                     a setting is wrong; shown at start, never to a caller

Messages are for the caller: they say what was wrong, what was expected and where, without paths or internal details.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import ClassVar

#: Characters of a message. Over gRPC it is a header, and what is longer than a few thousand bytes there fails on its way.
MAX_MESSAGE = 600


class PpocrError(Exception):
    """Base of all errors raised on purpose."""

    http: ClassVar[int] = HTTPStatus.INTERNAL_SERVER_ERROR
    grpc: ClassVar[str] = "INTERNAL"
    retry_after: float | None = None
    #: Whether the form of the request is wrong, and not what it holds: HTTP's answer then shows a command that works.
    wrong_form: ClassVar[bool] = False
    #: What goes out with it over HTTP, beside Retry-After: names in lower case.
    headers: Mapping[str, str] = MappingProxyType({})

    @property
    def message(self) -> str:
        """For the caller, cut if it repeats what was long."""
        text = str(self)
        return text if len(text) <= MAX_MESSAGE else f"{text[: MAX_MESSAGE - 1]}…"


class RequestError(PpocrError):
    http = HTTPStatus.BAD_REQUEST
    grpc = "INVALID_ARGUMENT"


class InvalidRequest(RequestError):
    """Wrong JSON, base64, shape, dtype or parameter."""

    wrong_form = True


class InvalidImage(RequestError):
    """A truncated or damaged image, or a format that is refused."""


class NotAnImage(InvalidImage):
    """The bytes are of an unsupported format."""

    wrong_form = True


class ImageTooLarge(RequestError):
    """More pixels or bytes than the limits allow."""

    http = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class PayloadTooLarge(RequestError):
    http = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class Unauthorized(RequestError):
    """No key or certificate, or one that isn't known."""

    http = HTTPStatus.UNAUTHORIZED
    grpc = "UNAUTHENTICATED"


class UnsupportedMedia(RequestError):
    http = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    wrong_form = True


class UnsupportedEncoding(UnsupportedMedia):
    """A Content-Encoding that isn't read; `accepted` lists those that are."""

    def __init__(self, message: str, accepted: str = "") -> None:
        super().__init__(message)
        self.headers = {"accept-encoding": accepted}


class MethodNotAllowed(RequestError):
    """A method that the route doesn't take; `allowed` lists those that it takes."""

    http = HTTPStatus.METHOD_NOT_ALLOWED
    grpc = "UNIMPLEMENTED"

    def __init__(self, message: str, allowed: str = "") -> None:
        super().__init__(message)
        self.headers = {"allow": allowed}


class NotFound(RequestError):
    """No such model, version or route; `there` has parts of the path, by name, that would be right."""

    http = HTTPStatus.NOT_FOUND
    grpc = "NOT_FOUND"
    wrong_form = True

    def __init__(self, message: str, there: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__(message)
        self.there = there


class RetryableError(PpocrError):
    """Nothing was computed: the same request may succeed after `retry_after` seconds."""

    http = HTTPStatus.SERVICE_UNAVAILABLE
    grpc = "UNAVAILABLE"

    def __init__(self, message: str, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Overloaded(RetryableError):
    http = HTTPStatus.TOO_MANY_REQUESTS
    grpc = "RESOURCE_EXHAUSTED"


class Unavailable(RetryableError):
    """Not ready, draining, or the predictor can't be reached."""


class DeadlineExceeded(PpocrError):
    http = HTTPStatus.GATEWAY_TIMEOUT
    grpc = "DEADLINE_EXCEEDED"


class BadAnswer(PpocrError):
    """A service behind this one sent a malformed answer."""

    http = HTTPStatus.BAD_GATEWAY


class Cancelled(PpocrError):
    """The client has left; the error only ends the work for it."""

    http: ClassVar[int] = 499  # nginx's "client closed request"
    grpc = "CANCELLED"


class EngineError(PpocrError):
    """The network failed on this input."""


class EngineOutOfMemory(EngineError, RetryableError):
    """The device had no memory for this batch."""

    http = HTTPStatus.SERVICE_UNAVAILABLE
    grpc = "UNAVAILABLE"


class BundleError(RetryableError):
    """A model is missing, corrupt, or not what it claims to be."""


class ConfigError(PpocrError):
    """A setting is wrong or an engine can't run here."""
