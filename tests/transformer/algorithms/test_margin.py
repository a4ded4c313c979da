from __future__ import annotations

import numpy as np

from transformer.algorithms.margin import MARGIN, margin_of, with_margin


def test_only_narrow_images_get_a_margin() -> None:
    assert margin_of(np.zeros((63, 500, 3), np.uint8)) == margin_of(np.zeros((500, 20, 3), np.uint8)) == MARGIN
    assert margin_of(np.zeros((64, 64, 3), np.uint8)) == 0


def test_it_has_the_median_colour() -> None:
    image = np.full((40, 300, 3), (250, 240, 200), np.uint8)
    image[5:35, 20:120] = 0
    wider = with_margin(image, 32)
    assert wider.shape == (104, 364, 3) and np.array_equal(wider[32:-32, 32:-32], image)
    assert (wider[:32] == (250, 240, 200)).all() and (wider[:, -32:] == (250, 240, 200)).all()
