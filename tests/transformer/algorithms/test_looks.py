from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.networks import DET
from transformer.algorithms.detection_parameters import DetectionParameters
from transformer.algorithms.looks import READABLE, Look, Looks

BUDGET = 16_000_000


def looks(height: int, width: int, budget: int = BUDGET) -> Looks:
    return Looks(height, width, DET.grid, DetectionParameters(), budget)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1200, 900), (960, 704)),  # as ever
        ((3840, 1000), (960, 256)),
        ((14400, 253), (14400, 256)),
        ((9000, 1080), (5344, 640)),
        ((124, 12064), (128, 12064)),
    ],
)
def test_the_first_look_is_small_and_that_of_long_pages_goes_by_their_short_side(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    first = looks(*size).first(one_look=False)
    assert (first.height, first.width) == expected


def test_a_request_that_sets_the_size_has_one_look_without_tiles() -> None:
    first = looks(14400, 253).first(one_look=True)
    assert (first.height, first.width) == (960, 32)
    assert first.longest_tile >= 960


def prints(page: Looks, look: Look, *heights: float) -> NDArray[np.float64]:
    """Print of these heights in the map, in pixels of the page."""
    return np.array(heights) / (look.height / page.height)


def test_print_that_is_high_enough_needs_no_closer_look() -> None:
    page = looks(3508, 2480)
    first = page.first(False)
    assert page.closer(first, prints(page, first, *[9.0] * 40)) is None


def test_low_print_is_brought_to_a_height_that_can_be_read() -> None:
    page = looks(3508, 2480)
    first = page.first(False)
    closer = page.closer(first, prints(page, first, *[4.0] * 40))
    assert closer is not None and closer.height / first.height == pytest.approx(READABLE / 4, rel=0.02)
    assert page.closer(closer, prints(page, closer, *[READABLE] * 40)) is None
    assert page.warning(closer, prints(page, closer, *[READABLE] * 40)) is None


def test_a_quarter_of_low_print_is_enough() -> None:
    page = looks(3508, 2480)
    first = page.first(False)
    assert page.closer(first, prints(page, first, *[4.0] * 12, *[30.0] * 28)) is not None
    assert page.closer(first, prints(page, first, *[4.0] * 4, *[30.0] * 36)) is None


def test_a_page_is_never_enlarged_to_look_closer() -> None:
    page = looks(700, 500)
    assert page.closer(page.first(False), np.full(9, 6.0)) is None


def test_where_nothing_was_found_a_page_that_was_shrunk_is_looked_at_again() -> None:
    nothing = np.zeros(0)
    large, small = looks(2160, 3840), looks(1000, 1200)
    closer = large.closer(large.first(False), nothing)
    assert closer is not None and closer.width == 2432
    assert large.closer(closer, nothing) is None
    assert small.closer(small.first(False), nothing) is None


def test_the_budget_bounds_every_look_and_is_told_of() -> None:
    page = looks(7000, 5000, 4_000_000)
    first = page.first(False)
    closer = page.closer(first, prints(page, first, *[3.0] * 40))
    assert closer is not None and closer.limited and closer.height * closer.width <= 4_000_000
    assert page.closer(closer, prints(page, closer, *[5.0] * 40)) is None
    warning = page.warning(closer, prints(page, closer, *[5.0] * 40))
    assert warning is not None and "max_page_pixels is 4,000,000" in warning
    assert page.warning(closer, prints(page, closer, *[9.0] * 40)) is None


def test_sizes_are_on_the_grid_for_any_page() -> None:
    rng = np.random.default_rng(0)
    for height, width in np.exp(rng.uniform(np.log(64), np.log(30_000), (300, 2))).astype(int).tolist():
        look: Look | None = looks(height, width).first(False)
        while look is not None:
            assert look.height % 32 == look.width % 32 == 0 and min(look.height, look.width) >= 32
            assert look.height * look.width <= BUDGET
            look = looks(height, width).closer(look, np.full(3, 5.0))
