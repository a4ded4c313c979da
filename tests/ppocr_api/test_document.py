"""The document model: frozen, plain, and joined into text."""

from __future__ import annotations

import dataclasses

import pytest

from ppocr_api.document import Document, Line, Page, Word

BOX = ((0.0, 0.0), (4.0, 0.0), (4.0, 2.0), (0.0, 2.0))
FIRST = Page((Line("one", 0.5, BOX, words=(Word("one", 0.5, BOX),)), Line("two", 1.0, BOX)), 8, 4, "m/1")
SECOND = Page((Line("three", 1.0, BOX),), 8, 4, "m/1")


def test_text_of_a_page_and_of_a_document() -> None:
    assert FIRST.text == "one\ntwo"
    assert Document((FIRST, SECOND)).text == "one\ntwo\fthree"
    assert Document(()).text == Page((), 1, 1, "m/1").text == ""


def test_what_is_left_out() -> None:
    assert (FIRST.angle, FIRST.dpi, FIRST.source) == (0, None, "pixels")
    assert (FIRST.lines[1].angle, FIRST.lines[1].words) == (0.0, None)


@pytest.mark.parametrize("value", [Document((FIRST,)), FIRST, FIRST.lines[0], Word("one", 0.5, BOX)])
def test_values_are_frozen_and_can_be_keys(value: object) -> None:
    field = dataclasses.fields(value)[0].name  # type: ignore[arg-type]
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, field, None)
    assert value in {value}
