"""What is tried again, and after how long."""

from __future__ import annotations

import pytest

from ppocr_api import errors
from ppocr_client.attempts import Attempts


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
