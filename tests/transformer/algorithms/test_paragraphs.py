"""Which lines make a paragraph."""

from __future__ import annotations

from ppocr_api.document import Line, Points
from transformer.algorithms.paragraphs import around, paragraphs


def line(text: str, left: float, top: float, right: float, bottom: float) -> Line:
    points: Points = ((left, top), (right, top), (right, bottom), (left, bottom))
    return Line(text, 1.0, points)


def grouped(*lines: Line) -> list[str]:
    return ["".join(line.text for line in group) for group in paragraphs(lines)]


def test_lines_close_below_each_other_belong_together() -> None:
    assert grouped(line("a", 0, 0, 100, 10), line("b", 0, 13, 90, 23), line("c", 5, 26, 60, 36)) == ["abc"]


def test_a_gap_parts_paragraphs() -> None:
    assert grouped(line("a", 0, 0, 100, 10), line("b", 0, 25, 90, 35)) == ["a", "b"]


def test_neighbours_in_a_row_are_apart() -> None:
    assert grouped(line("a", 0, 0, 40, 10), line("b", 60, 0, 90, 10), line("c", 0, 12, 40, 22)) == ["a", "b", "c"]


def test_a_heading_of_another_size_is_apart() -> None:
    assert grouped(line("a", 0, 0, 100, 30), line("b", 0, 34, 90, 44)) == ["a", "b"]


def test_columns_are_apart() -> None:
    assert grouped(line("a", 0, 0, 40, 10), line("b", 50, 12, 90, 22)) == ["a", "b"]


def test_the_rectangle_around_lines_and_the_corners_of_one() -> None:
    tilted = Line("a", 1.0, ((0.0, 1.0), (9.0, 0.0), (10.0, 4.0), (1.0, 5.0)))
    assert around([tilted]) == tilted.points
    assert around([tilted, line("b", 2, 6, 20, 9)]) == ((0.0, 0.0), (20.0, 0.0), (20.0, 9.0), (0.0, 9.0))
