from __future__ import annotations

import numpy as np
import pytest

from tests.networks import DET
from transformer.algorithms.det_input import det_input, det_size
from transformer.algorithms.detection_parameters import DetectionParameters as Parameters

GRID = DET.grid


@pytest.mark.parametrize(
    ("size", "parameters", "expected"),
    [
        ((960, 480), Parameters(), (960, 480)),
        ((2066, 713), Parameters(), (960, 320)),  # 331.3 is nearer to 320 than to 352
        ((605, 463), Parameters(), (608, 448)),  # `max` doesn't enlarge; the grid may
        ((1, 1), Parameters(), (32, 32)),
        ((1, 20_000), Parameters(), (32, 960)),
        ((20_000, 1), Parameters(), (960, 32)),
        ((500, 1000), Parameters(limit_type="min"), (960, 1920)),
        ((1000, 2000), Parameters(limit_type="min"), (992, 1984)),  # halves go to the even multiple
        ((100, 2000), Parameters(limit_type="min"), (192, 4000)),  # 960 would take the other side over 4000
        ((3508, 2480), Parameters(limit_type="min"), (2912, 2048)),  # 6 million pixels at most
        ((1000, 500), Parameters(limit_side_len=640), (640, 320)),
        ((1000, 500), Parameters(limit_side_len=4000), (992, 512)),
    ],
)
def test_size(size: tuple[int, int], parameters: Parameters, expected: tuple[int, int]) -> None:
    assert det_size(*size, GRID, parameters) == expected


def test_size_is_on_the_grid_and_inside_the_limit() -> None:
    rng = np.random.default_rng(0)
    for height, width in np.exp(rng.uniform(0, np.log(30_000), (500, 2))).astype(int).tolist():
        h, w = det_size(height, width, GRID, Parameters())
        assert h % 32 == w % 32 == 0
        assert 32 <= min(h, w) <= max(h, w) <= 960


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((32, 32), (960, 960)),  # a usual page is what any image may become
        ((48, 320), (384, 2464)),
        ((500, 500), (1984, 1984)),  # and four times its own sides
        ((800, 800), (2464, 2432)),
        ((2000, 3000), (1984, 3008)),  # nothing is enlarged over the service's limit
    ],
)
def test_an_image_is_enlarged_no_more_than_its_pixels_justify(size: tuple[int, int], expected: tuple[int, int]) -> None:
    h, w = det_size(*size, GRID, Parameters(limit_side_len=4000, limit_type="min"))
    assert (h, w) == expected


def test_no_size_goes_over_the_service_s_limit() -> None:
    rng = np.random.default_rng(0)
    for limit in (921_600, 2_000_000, 6_000_000):
        for height, width in np.exp(rng.uniform(0, np.log(30_000), (300, 2))).astype(int).tolist():
            h, w = det_size(height, width, GRID, Parameters(limit_side_len=4000, limit_type="min"), limit)
            assert h % 32 == w % 32 == 0
            assert min(h, w) >= 32
            assert h * w <= limit


def test_an_image_that_fits_is_passed_on_as_it_is() -> None:
    image = np.zeros((64, 96, 3), np.uint8)
    assert det_input(image, GRID, Parameters()) is image


def test_the_image_is_scaled_and_stays_uint8() -> None:
    image = np.zeros((1920, 960, 3), np.uint8)
    image[:, 480:] = 200
    scaled = det_input(image, GRID, Parameters())
    assert scaled.shape == (960, 480, 3) and scaled.dtype == np.uint8 and scaled.flags.c_contiguous
    assert (scaled[:, :239] == 0).all() and (scaled[:, 241:] == 200).all()


@pytest.mark.parametrize("height", [1930, 2500, 2501, 3900])
def test_a_page_that_is_shrunk_much_keeps_its_thin_strokes(height: int) -> None:
    """Interpolation alone would skip some: a stroke shows wherever it is."""
    for row in range(1000, 1010):
        image = np.full((height, height, 3), 255, np.uint8)
        image[row] = 0
        assert det_input(image, GRID, Parameters()).min() < 230


def test_a_page_of_one_row_is_shrunk_too() -> None:
    assert det_input(np.zeros((1, 9000, 3), np.uint8), GRID, Parameters()).shape == (32, 960, 3)
