"""The memory of requests: claimed before it is taken, refused with the right kind of error, given back."""

from __future__ import annotations

import pytest

from ppocr_api.errors import Overloaded, PayloadTooLarge
from ppocr_limits.budget import Budget, Claim
from ppocr_limits.memory import for_requests, memory_limit, resident


def test_bodies_and_images_share_all_of_it() -> None:
    budget = Budget(1000)
    assert budget.for_bodies + budget.for_images == 1000
    assert 0 < budget.for_bodies < budget.for_images


def test_what_is_spent_is_refused_until_it_comes_back() -> None:
    budget = Budget(1000)
    first, second = budget.claim(250), budget.claim(100)
    small = budget.claim(50)
    with pytest.raises(Overloaded) as refused:
        budget.claim(1)
    assert refused.value.retry_after is not None
    small.release()
    first.release()
    first.release()
    assert budget.held == 100
    with budget.claim(250):
        assert budget.held == 350
    second.release()
    assert budget.held == 0


def test_large_bodies_leave_room_for_small_ones() -> None:
    budget = Budget(1000)
    with budget.claim(400):  # alone it may take all
        pass
    with budget.claim(200), budget.claim(150):
        with pytest.raises(Overloaded):
            budget.claim(51)
        with budget.claim(50):
            assert budget.held == 400


def test_what_never_fits_is_too_large_and_not_a_matter_of_time() -> None:
    with pytest.raises(PayloadTooLarge):
        Budget(1000).claim(401)


def test_a_claim_that_may_not_grow_keeps_what_it_had() -> None:
    budget = Budget(1000)
    other, claim = budget.claim(200), Claim(budget)
    claim.resize(100)
    with pytest.raises(Overloaded):
        claim.resize(201)
    assert budget.held == 300
    claim.release()
    other.release()
    assert budget.held == 0


def test_the_limit_is_between_what_is_held_and_what_the_machine_has() -> None:
    assert resident() < memory_limit()
    assert for_requests(0) < memory_limit()
    assert for_requests(123) == 123
