"""From errors to codes and back. Every error of the tree goes both ways."""

from __future__ import annotations

from http import HTTPStatus

import grpc
import pytest

from ppocr_api import errors
from ppocr_api.error_mapping import from_grpc, from_http, retry_after, seconds_to_wait

#: What comes back for a code that several errors share.
BY_STATUS = {
    400: errors.InvalidRequest,
    401: errors.Unauthorized,
    404: errors.NotFound,
    405: errors.RequestError,
    413: errors.PayloadTooLarge,
    415: errors.UnsupportedMedia,
    429: errors.Overloaded,
    500: errors.PpocrError,
    502: errors.PpocrError,
    503: errors.Unavailable,
    504: errors.DeadlineExceeded,
}
BY_CODE = {
    "INVALID_ARGUMENT": errors.InvalidRequest,
    "UNAUTHENTICATED": errors.Unauthorized,
    "NOT_FOUND": errors.NotFound,
    "UNIMPLEMENTED": errors.NotFound,
    "RESOURCE_EXHAUSTED": errors.Overloaded,
    "UNAVAILABLE": errors.Unavailable,
    "DEADLINE_EXCEEDED": errors.DeadlineExceeded,
    "INTERNAL": errors.PpocrError,
}


def tree(kind: type[errors.PpocrError] = errors.PpocrError) -> list[type[errors.PpocrError]]:
    return [kind, *(each for below in kind.__subclasses__() for each in tree(below))]


#: Cancelled is never sent: nobody hears it. Wire formats have classes of their own below these, which hold more than a sentence.
SENT = {kind for kind in tree() if not kind.__module__.startswith("transformer.routes")} - {errors.Cancelled}


@pytest.mark.parametrize("kind", sorted(SENT, key=lambda each: each.__name__))
def test_every_error_comes_back_as_one_that_asks_the_same_of_the_caller(kind: type[errors.PpocrError]) -> None:
    error = kind("a sentence")
    for back in (
        from_http(int(error.http), error.message, retry_after(error)),
        from_grpc(error.grpc, error.message, retry_after(error)),
    ):
        assert back.message.startswith("a sentence")
        assert isinstance(back, errors.RequestError) == isinstance(error, errors.RequestError)
        assert (back.retry_after is None) == (error.retry_after is None)
    assert type(from_http(int(error.http), "")) is BY_STATUS[int(error.http)]
    assert type(from_grpc(error.grpc, "")) is BY_CODE[error.grpc]
    assert hasattr(grpc.StatusCode, error.grpc)


@pytest.mark.parametrize("status", [status for status in HTTPStatus if status >= 400 and status not in BY_STATUS])
def test_any_other_status_says_whose_fault_it_is(status: HTTPStatus) -> None:
    error = from_http(int(status), "no")
    assert type(error) is (errors.RequestError if status < 500 else errors.PpocrError)
    assert str(int(status)) in error.message


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("UNIMPLEMENTED", errors.NotFound),
        ("CANCELLED", errors.Unavailable),
        ("UNKNOWN", errors.Unavailable),
        ("DATA_LOSS", errors.PpocrError),
    ],
)
def test_codes_that_only_grpc_itself_uses(code: str, kind: type[errors.PpocrError]) -> None:
    assert type(from_grpc(code, "no")) is kind


@pytest.mark.parametrize("way", ["Sent", "Received", "CLIENT: Sent"])
def test_a_message_over_grpcs_own_limit_is_not_a_full_queue(way: str) -> None:
    error = from_grpc("RESOURCE_EXHAUSTED", f"{way} message larger than max (10 vs. 5)")
    assert type(error) is errors.PayloadTooLarge
    assert error.retry_after is None


@pytest.mark.parametrize(
    ("seconds", "header"), [(0.0, "1"), (0.2, "1"), (1.0, "1"), (1.2, "2"), (2.5, "3"), (60, "60")]
)
def test_retry_after_is_rounded_up(seconds: float, header: str) -> None:
    assert retry_after(errors.Overloaded("full", seconds)) == header


def test_what_fails_again_has_none() -> None:
    assert retry_after(errors.PayloadTooLarge("no")) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("-3", 0.0),
        (None, 1.0),
        ("nan", 1.0),
        ("inf", 1.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 1.0),
    ],
)
def test_seconds_of_a_header(header: str | None, seconds: float) -> None:
    assert seconds_to_wait(header) == seconds
    assert from_http(429, "busy", header).retry_after == seconds
    assert from_grpc("UNAVAILABLE", "busy", header).retry_after == seconds
