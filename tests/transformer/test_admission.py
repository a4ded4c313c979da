"""What is admitted: what one client sends in bulk keeps nobody out."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from ppocr_api.errors import DeadlineExceeded, InvalidRequest, Overloaded
from transformer.admission import Admission


def held(stack: ExitStack, admission: Admission, images: int, share: str) -> bool:
    try:
        stack.enter_context(admission.enter(images, share))
    except Overloaded as error:
        assert error.retry_after is not None
        return False
    return True


def test_single_images_fill_every_place() -> None:
    admission = Admission(8)
    with ExitStack() as stack:
        assert [held(stack, admission, 1, f"client {n}") for n in range(9)] == [True] * 8 + [False]
    assert admission.inside == 0


def test_requests_of_many_images_leave_places_for_single_ones() -> None:
    admission = Admission(128)
    with ExitStack() as stack:
        admitted = [held(stack, admission, 32, f"request {n}") for n in range(8)]
        assert 2 <= sum(admitted) <= 3
        assert all(held(stack, admission, 1, f"small {n}") for n in range(32))


def test_a_client_with_a_key_doesnt_take_all_places_with_single_images() -> None:
    admission = Admission(64)
    with ExitStack() as stack:
        greedy = sum(held(stack, admission, 1, "client a") for _ in range(64))
        assert 40 <= greedy < 60
        assert held(stack, admission, 1, "client b")


def test_a_request_larger_than_the_limit_comes_in_when_nothing_else_is() -> None:
    admission = Admission(4)
    with admission.enter(9, "a"), pytest.raises(Overloaded), admission.enter(1, "b"):
        pass
    with admission.enter(1, "b"), pytest.raises(Overloaded), admission.enter(9, "a"):
        pass


class Clock:
    """The time, and an admission that has just seen 20 images end, one each `seconds`, while another stays inside."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, stack: ExitStack, seconds: float) -> None:
        self.now = 1000.0
        monkeypatch.setattr("transformer.admission.time.monotonic", lambda: self.now)
        self.admission = Admission(128)
        stack.enter_context(self.admission.enter(1, "stays", 60.0))
        for number in range(20):
            with self.admission.enter(1, f"before {number}", 60.0):
                self.now += seconds


def test_what_would_be_begun_too_late_is_refused_before_anything_is_done_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An image takes 0.3 s, and each may take ten: twenty go before the last that is let in."""
    with ExitStack() as stack:
        admission = Clock(monkeypatch, stack, 0.3).admission
        let_in = 0
        with pytest.raises(Overloaded) as refused:
            for number in range(128):
                stack.enter_context(admission.enter(1, f"client {number}", 10.0))
                let_in += 1
        assert let_in == 20
        assert refused.value.retry_after == pytest.approx(0.3, abs=0.01)
        stack.enter_context(admission.enter(1, "patient", 60.0))


def test_one_request_of_many_images_keeps_no_single_one_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as stack:
        admission = Clock(monkeypatch, stack, 1.0).admission
        stack.enter_context(admission.enter(32, "bulk", 60.0))
        with admission.enter(1, "small", 10.0):
            pass
        with pytest.raises(Overloaded), admission.enter(32, "bulk again", 10.0):
            pass


def test_images_that_are_given_up_are_no_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as stack:
        clock = Clock(monkeypatch, stack, 0.3)
        for number in range(20):
            stack.enter_context(clock.admission.enter(1, f"late {number}", 60.0))
        for number in range(20):
            with pytest.raises(DeadlineExceeded), clock.admission.enter(1, f"later {number}", 60.0):
                raise DeadlineExceeded("too late")
        clock.now += 60.0
        with pytest.raises(Overloaded), clock.admission.enter(1, "last", 60.0):
            pass


def test_a_flood_of_what_is_wrong_keeps_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as stack:
        clock = Clock(monkeypatch, stack, 2.0)
        for number in range(15):
            stack.enter_context(clock.admission.enter(1, f"flood {number}", 60.0))
        for number in range(1_000):
            clock.now += 0.01
            with pytest.raises(InvalidRequest), clock.admission.enter(1, f"more {number}", 60.0):
                raise InvalidRequest("no image")
        stack.enter_context(clock.admission.enter(1, "honest", 60.0))


def test_after_a_rest_the_pace_is_learnt_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as stack:
        admission = Clock(monkeypatch, stack, 3.0).admission
        stack.close()
        assert all(held(stack, admission, 1, f"small {n}") for n in range(100))


def test_where_nothing_ends_at_all_the_pace_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 1000.0
    monkeypatch.setattr("transformer.admission.time.monotonic", lambda: clock)
    admission = Admission(128)
    with ExitStack() as stack:
        assert all(held(stack, admission, 1, f"first {n}") for n in range(30))
        clock += 40.0
        with pytest.raises(Overloaded), admission.enter(1, "late", 60.0):
            pass


def test_images_of_a_request_that_is_still_read_show_the_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 1000.0
    monkeypatch.setattr("transformer.admission.time.monotonic", lambda: clock)
    admission = Admission(128)
    with admission.enter(32, "bulk", 60.0) as bulk:
        for _ in range(16):
            clock += 2.0
            bulk.answered()
        with pytest.raises(Overloaded), admission.enter(32, "more", 60.0):
            pass
        with admission.enter(1, "single", 60.0):
            pass


def test_requests_for_which_time_was_up_are_not_all_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 1000.0
    monkeypatch.setattr("transformer.admission.time.monotonic", lambda: clock)
    admission = Admission(128)
    with (
        pytest.raises(DeadlineExceeded),
        admission.enter(32, "a", 60.0) as first,
        admission.enter(32, "b", 60.0) as second,
    ):
        for _ in range(20):
            clock += 2.9
            first.answered()
            second.answered()
        raise DeadlineExceeded("time is up")
    clock += 1.0
    with admission.enter(32, "a", 60.0):
        with pytest.raises(Overloaded), admission.enter(32, "b", 60.0):
            pass
        clock += 40.0
    with admission.enter(32, "a", 60.0), admission.enter(32, "b", 60.0):  # all went well: nothing is kept
        pass
