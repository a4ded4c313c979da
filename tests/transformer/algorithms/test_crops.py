from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ppocr_api.errors import InvalidImage
from tests.networks import rec
from transformer.algorithms.crops import Crops, crops, upright

GRID = rec("", "a").grid
U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]


def split(lines: Crops, height: int = 48) -> list[U8]:
    """What each item holds of its line, without what is beside it."""
    items = lines.items
    ends = np.cumsum(items.sizes[:, 1]) * height * 3
    parts = np.split(items.pixels, ends[:-1]) if len(items) else []
    return [part.reshape(height, -1, 3)[:, :own] for part, own in zip(parts, lines.filled.tolist(), strict=True)]


def picture(height: int = 400, width: int = 600) -> U8:
    """Smooth enough that a pixel's half costs little, and different everywhere and in each channel."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    channels = (np.sin(x / 9) * 100 + 128, np.cos(y / 7) * 100 + 128, np.sin((x + y) / 11) * 100 + 128)
    return np.stack(channels, axis=2).astype(np.uint8)


def level(x0: float, y0: float, x1: float, y1: float) -> F32:
    return np.array(((x0, y0), (x1, y0), (x1, y1), (x0, y1)), np.float32)


def turned(centre: tuple[float, float], size: tuple[float, float], angle: float) -> F32:
    corners = np.array(((-1, -1), (1, -1), (1, 1), (-1, 1))) * np.array(size) / 2
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return (corners @ np.array(((cos, sin), (-sin, cos))) + centre).astype(np.float32)


def two_steps(image: U8, box: F32, width: int) -> U8:
    """PaddleOCR's way: a cubic warp at the size of the box, then a resize to the network's."""
    w = int(max(np.linalg.norm(box[0] - box[1]), np.linalg.norm(box[2] - box[3])))
    h = int(max(np.linalg.norm(box[0] - box[3]), np.linalg.norm(box[1] - box[2])))
    target = np.array(((0, 0), (w, 0), (w, h), (0, h)), np.float32)
    transform = cv2.getPerspectiveTransform(box, target)
    line = cv2.warpPerspective(image, transform, (w, h), borderMode=cv2.BORDER_REPLICATE, flags=cv2.INTER_CUBIC)
    return np.asarray(cv2.resize(line, (width, 48)), np.uint8)


@pytest.mark.parametrize(
    "box",
    [
        level(50, 60, 350, 100),
        level(50, 60, 90, 100),
        np.roll(level(300, 50, 330, 350), -1, axis=0),
        turned((300, 200), (300, 36), 4),
        turned((300, 200), (300, 36), -25),
        np.roll(turned((300, 200), (30, 300), 5), -1, axis=0),
        np.array(((50, 60), (350, 70), (345, 112), (55, 100)), np.float32),
    ],
    ids=["level", "square", "tall", "turned a little", "turned", "tall and turned", "in perspective"],
)
def test_a_line_is_what_two_steps_make_of_it(box: F32) -> None:
    image = picture()
    lines = crops(image, box[None], GRID)
    [line] = split(lines)
    assert lines.line.tolist() == [0] and line.shape[0] == 48 and line.dtype == np.uint8
    difference = np.abs(line.astype(int) - two_steps(image, box, line.shape[1]))[2:-2, 2:-2]
    # Half a pixel along the steepest slope is 7; the two ways place pixel centres differently.
    assert difference.mean() < 5 and difference.max() < 32


def test_a_line_that_hardly_rises_is_scaled_without_a_warp() -> None:
    """Its ends may be off by half of what it rises, and its middle is where the warp has it."""
    image = picture()
    box = turned((300, 200), (300, 36), 0.5)
    [line] = split(crops(image, box[None], GRID))
    middle = slice(line.shape[1] // 2 - 16, line.shape[1] // 2 + 16)
    difference = np.abs(line.astype(int) - two_steps(image, box, line.shape[1]))[2:-2]
    assert difference[:, middle].mean() < 6
    assert difference.mean() < 12


def test_a_line_that_runs_down_is_turned_so_that_its_top_comes_first() -> None:
    image = np.zeros((400, 100, 3), np.uint8)
    image[:200, :, 0] = 255
    image[:, 50:, 1] = 255
    [line] = split(crops(image, np.roll(level(30, 0, 70, 399), -1, axis=0)[None], GRID))
    assert line[:, :8, 0].min() > 250 and line[:, -8:, 0].max() < 5
    assert line[:8, :, 1].min() > 250 and line[-8:, :, 1].max() < 5


def test_the_first_side_is_the_length() -> None:
    _, along, across = upright(np.stack((level(0, 0, 30, 100), np.roll(level(0, 0, 30, 100), -1, axis=0))))
    assert along.tolist() == [30, 100] and across.tolist() == [100, 30]


def test_widths_are_on_the_grid_and_equal_ones_lie_together() -> None:
    rng = np.random.default_rng(0)
    boxes = np.stack(
        [
            turned(tuple(rng.uniform(100, 300, 2)), tuple(rng.uniform((10, 8), (400, 60))), rng.normal())
            for _ in range(60)
        ]
    )
    lines = crops(picture(), boxes, GRID)
    sizes, pixels = lines.items.sizes, lines.items.pixels
    assert sorted(lines.line.tolist()) == list(range(60))
    assert (sizes[:, 1] % GRID.width.step == 0).all() and (np.diff(sizes[:, 1]) >= 0).all()
    assert sizes[:, 1].dtype == np.int32 and pixels.dtype == np.uint8
    assert len(pixels) == sizes[:, 1].sum() * 48 * 3


def test_order_maps_lines_to_boxes() -> None:
    image = picture()
    boxes = np.stack((level(0, 0, 400, 48), level(0, 100, 96, 148), level(0, 200, 192, 248)))
    lines = crops(image, boxes, GRID)
    assert lines.line.tolist() == [1, 2, 0]
    for line, index in zip(split(lines), lines.line.tolist(), strict=True):
        [alone] = split(crops(image, boxes[index : index + 1], GRID))
        assert np.array_equal(line, alone)


def test_widths_stay_between_the_models_limits() -> None:
    image = np.zeros((100, 10_000, 3), np.uint8)
    boxes = np.stack((level(0, 0, 1190, 20), level(0, 0, 5, 7)))
    narrow = dataclasses.replace(GRID, width=dataclasses.replace(GRID.width, maximum=640))
    assert crops(image, boxes, narrow).items.sizes[:, 1].tolist() == [64, 640]


def test_a_short_line_is_the_same_item_alone_and_among_others() -> None:
    """So its text can't depend on what it shares a batch with."""
    image = picture()
    boxes = np.stack([level(10, y, 30 + 7 * i, y + 40) for i, y in enumerate(range(0, 300, 50))])
    together = crops(image, boxes, GRID)
    whole = together.items.pixels.reshape(len(boxes), 48, 64, 3)
    for item, index in zip(whole, together.line.tolist(), strict=True):
        alone = crops(image, boxes[index : index + 1], GRID)
        assert alone.items.sizes.tolist() == [[48, 64]]
        assert np.array_equal(alone.items.pixels.reshape(48, 64, 3), item)


def test_no_boxes_make_no_lines() -> None:
    lines = crops(picture(), np.zeros((0, 4, 2), np.float32), GRID)
    assert len(lines.items.pixels) == len(lines.items) == len(lines.line) == 0


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (2, 2)])
def test_thin_images_and_degenerate_boxes(size: tuple[int, int]) -> None:
    image = np.full((*size, 3), 77, np.uint8)
    right, bottom = size[1] - 1, size[0] - 1
    boxes = np.stack(
        (level(0, 0, right, bottom), np.zeros((4, 2), np.float32), turned((right / 2, bottom / 2), (50, 8), 30))
    )
    lines = split(crops(image, boxes, GRID))
    assert max(np.abs(line.astype(int) - 77).max() for line in lines) <= 1


@pytest.mark.parametrize("angle", [0, 5])
def test_large_type_keeps_its_thin_strokes(angle: float) -> None:
    """Scaled down eight times, strokes a pixel wide must turn grey everywhere, not vanish here and stay black there."""
    image = np.full((800, 1600, 3), 255, np.uint8)
    image[:, ::8] = 0
    [line] = split(crops(image, turned((800, 400), (1200, 400), angle)[None], GRID))
    inside = line[8:-8, 8:-8].astype(float)
    assert abs(inside.mean() - 255 * 7 / 8) < 3
    assert inside.std() < 25


def test_an_image_of_more_lines_than_the_limit_is_refused() -> None:
    image = np.zeros((1000, 1000, 3), np.uint8)
    flat = np.tile(np.array([[0, 0], [1000, 0], [1000, 4], [0, 4]], np.float32), (50, 1, 1))
    with pytest.raises(InvalidImage, match="50 lines of 7,680,000 pixels in all, and at most 1,000,000"):
        crops(image, flat, GRID, max_pixels=1_000_000)
