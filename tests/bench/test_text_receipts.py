"""The figures of labelled receipts, from a reader whose answers are known."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from PIL import Image

from bench.text import receipts
from bench.text.case import Case, Line

#: Down the left column, then down the right one.
LABELS = (
    "0,0,50,0,50,10,0,10,TEA\n0,20,50,20,50,30,0,30,MILK\n80,0,99,0,99,10,80,10,1.20\n80,20,99,20,99,30,80,30,0.80\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.csv").write_text(LABELS)
    Image.new("RGB", (100, 40)).save(tmp_path / "a.jpg")
    return tmp_path


def reading(*texts: str) -> Callable[[Case], Sequence[Line]]:
    return lambda case: [{"text": text} for text in texts]


def test_rows_are_right_where_the_labels_go_down_the_columns(folder: Path) -> None:
    figures = receipts.read(folder, receipts.CHANGES[0], reading("Tea", "1.20", "Milk", "0.80"))
    assert (figures.tokens, figures.characters, figures.in_rows) == (1, 1, 0)
    # MILK was read after the price of TEA, which is labelled after it.
    assert figures.out_of_order == pytest.approx(1 / 3)
    assert figures.as_labelled == pytest.approx(8 / 18)


def test_what_is_missing_costs_both(folder: Path) -> None:
    figures = receipts.read(folder, receipts.CHANGES[0], reading("Tea", "Milk", "1.20"))
    assert figures.out_of_order == 0
    assert figures.as_labelled == pytest.approx(5 / 18)
    assert figures.in_rows > figures.as_labelled


def test_a_turned_receipt_is_turned_and_the_others_are_the_file_itself(folder: Path) -> None:
    sizes: dict[str, tuple[int, int]] = {}
    data = (folder / "a.jpg").read_bytes()
    for change in receipts.CHANGES:
        with Image.open(io.BytesIO(change.of(data))) as image:
            sizes[change.name] = image.size
    assert receipts.CHANGES[0].of(data) is data
    assert sizes["turned by 90 degrees"] == (40, 100)
    assert sizes["scaled by 3"] == (300, 120)
