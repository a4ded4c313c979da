"""Draws an image with lines of different sizes, to check a conversion without images of the user."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from ppocr.contract import U8

_LINES = (
    ("INVOICE No. 4711/2024", 1.6, 3),
    ("Date: 23.11.2024   Page 1 of 3", 0.9, 2),
    ("2 x Coffee (large)        7.80", 0.9, 2),
    ("1 x Sandwich, toasted     6.45", 0.9, 2),
    ("3 x Mineral water 0.5 l   5.70", 0.9, 2),
    ("Subtotal 19.95  VAT 7% 1.31", 0.7, 1),
    ("TOTAL EUR 19.95", 1.4, 3),
    ("Paid by card **** **** **** 0042", 0.7, 1),
    ("Thank you for your visit!", 1.1, 2),
)


def picture() -> U8:
    """UINT8 [H,W,3] RGB: dark text on light paper. Always the same."""
    page = np.full((640, 720, 3), (244, 241, 235), np.uint8)
    baseline = 0
    for text, size, weight in _LINES:
        baseline += int(24 + 34 * size)
        cv2.putText(page, text, (40, baseline), cv2.FONT_HERSHEY_SIMPLEX, size, (35, 33, 40), weight, cv2.LINE_AA)
    return page
