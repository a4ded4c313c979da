from __future__ import annotations

import numpy as np
import pytest

from transformer.algorithms.det_input import scaled
from transformer.algorithms.tiles import OVERLAP, TILE, paste, scaled_tile, tiles


@pytest.mark.parametrize(
    "size", [(32, 32), (960, 1280), (1312, 64), (128, 12_064), (2400, 1344), (14_400, 256), (4000, 4000)]
)
def test_tiles_cover_a_page_and_overlap(size: tuple[int, int]) -> None:
    seen, used = np.zeros(size, np.int32), np.zeros(size, np.int32)
    found = tiles(*size, 32, TILE)
    for tile in found:
        for span, length in ((tile.rows, size[0]), (tile.columns, size[1])):
            assert span.start % 32 == span.end % 32 == 0 and 0 <= span.start < span.end <= length
            assert span.end - span.start <= TILE
            # Each map is used up to the middle of the overlap, so that it saw what is beyond.
            assert span.used_from == 0 or span.used_from - span.start >= OVERLAP // 2 - 16
            assert span.used_to == length or span.end - span.used_to >= OVERLAP // 2 - 16
        seen[tile.rows.start : tile.rows.end, tile.columns.start : tile.columns.end] += 1
        used[tile.rows.used_from : tile.rows.used_to, tile.columns.used_from : tile.columns.used_to] += 1
    assert (used == 1).all() and (seen >= 1).all()
    assert (len(found) == 1) == (max(size) <= TILE)


@pytest.mark.parametrize("ratio", [1, 2.5])
def test_maps_of_tiles_become_the_map_of_the_page(ratio: float) -> None:
    height, width = 2400, 1600
    y, x = np.mgrid[0 : round(height * ratio), 0 : round(width * ratio)].astype(np.float32)
    image = np.repeat((np.sin(x / 90) * 60 + np.cos(y / 70) * 60 + 128).astype(np.uint8)[:, :, None], 3, axis=2)
    whole = np.zeros((height, width), np.uint8)
    for tile in tiles(height, width, 32, TILE):
        part = scaled_tile(image, height, width, tile)
        assert part.shape[:2] == (tile.rows.end - tile.rows.start, tile.columns.end - tile.columns.start)
        paste(whole, np.ascontiguousarray(part[:, :, 0]), tile)
    assert np.abs(whole.astype(int) - scaled(image, height, width)[:, :, 0]).max() <= 4


def test_a_page_that_is_shrunk_is_averaged() -> None:
    """Lines one pixel wide, every eighth: interpolation would make some black and lose the others."""
    image = np.full((800, 1600, 3), 255, np.uint8)
    image[:, ::8] = 0
    assert scaled(image, 200, 400)[:, :, 0].std() < 70
    assert scaled(image, 100, 200)[:, :, 0].std() < 2
