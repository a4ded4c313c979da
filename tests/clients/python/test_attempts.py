"""What is tried again, after how long, and what error a status is."""

from __future__ import annotations

import pytest

from ppocr_api import errors
from ppocr_client.attempts import Attempts, from_code, from_status


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.InvalidRequest),
        (404, errors.NotFound),
        (413, errors.PayloadTooLarge),
        (415, errors.UnsupportedMedia),
        (429, errors.Overloaded),
        (503, errors.Unavailable),
        (504, errors.DeadlineExceeded),
    ],
)
def test_a_known_status_is_the_error_that_the_service_raised(status: int, kind: type[errors.PpocrError]) -> None:
    error = from_status(status, "a sentence")
    assert type(error) is kind
    assert error.http == status
    assert error.message == "a sentence"


@pytest.mark.parametrize(("status", "kind"), [(401, errors.RequestError), (500, errors.PpocrError)])
def test_any_other_status_stands_in_the_sentence(status: int, kind: type[errors.PpocrError]) -> None:
    error = from_status(status, "no")
    assert type(error) is kind
    assert error.message == f"no (status {status})"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("INVALID_ARGUMENT", errors.InvalidRequest),
        ("NOT_FOUND", errors.NotFound),
        ("RESOURCE_EXHAUSTED", errors.Overloaded),
        ("UNAVAILABLE", errors.Unavailable),
        ("DEADLINE_EXCEEDED", errors.DeadlineExceeded),
        ("INTERNAL", errors.PpocrError),
    ],
)
def test_a_grpc_code_is_the_error_that_the_service_raised(code: str, kind: type[errors.PpocrError]) -> None:
    error = from_code(code, "a sentence")
    assert type(error) is kind
    assert error.grpc == code


def test_a_message_over_grpcs_own_limit_is_not_a_full_queue() -> None:
    error = from_code("RESOURCE_EXHAUSTED", "Sent message larger than max (10 vs. 5)")
    assert isinstance(error, errors.PayloadTooLarge)


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("0", 0.0), (None, 1.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 1.0)]
)
def test_retry_after(header: str | None, seconds: float) -> None:
    assert from_status(429, "busy", header).retry_after == seconds


def test_waits_grow_from_what_the_service_asked_for() -> None:
    attempts = Attempts(timeout=60, retries=3)
    waits = [attempts.wait(errors.Overloaded("busy", retry_after=2)) for _ in range(3)]
    assert all(2 < wait < 3 for wait in waits)
    assert waits == sorted(waits)
    with pytest.raises(errors.Overloaded):
        attempts.wait(errors.Overloaded("busy"))


@pytest.mark.parametrize("error", [errors.InvalidRequest("no"), errors.PpocrError("no"), errors.DeadlineExceeded("no")])
def test_only_what_may_succeed_later_is_tried_again(error: errors.PpocrError) -> None:
    with pytest.raises(type(error)):
        Attempts(timeout=60, retries=3).wait(error)


def test_no_wait_goes_past_the_timeout() -> None:
    with pytest.raises(errors.Unavailable):
        Attempts(timeout=1, retries=3).wait(errors.Unavailable("away", retry_after=30))


def test_no_try_starts_after_the_timeout() -> None:
    with pytest.raises(errors.DeadlineExceeded, match="no answer within 0 s"):
        Attempts(timeout=0, retries=3).remaining()
