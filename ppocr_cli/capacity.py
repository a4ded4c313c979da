"""`ppocr capacity`: measures the highest rate of images that a service reads within a time limit."""

from __future__ import annotations

from collections.abc import Sequence

from ppocr_capacity.command import run as search


def run(argv: Sequence[str]) -> int:
    """As `ppocr_capacity.command.run`."""
    return search(argv)
