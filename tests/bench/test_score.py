from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType

import pytest

from bench.score import characters, expected, score, tokens
from tests import needs

DATA = Path(os.environ.get("PPOCR_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    (tmp_path / "a.csv").write_text("0,0,9,0,9,9,0,9,TOTAL: 1,234.50\nnot a label\n", encoding="utf-8")
    return tmp_path


def test_text_after_the_coordinates_may_hold_commas(labels: Path) -> None:
    assert expected(labels / "a.csv") == ["TOTAL: 1,234.50"]


def test_tokens_are_runs_of_letters_and_digits_in_capitals() -> None:
    assert tokens(["Total: 12.50", "total"]) == {"TOTAL": 2, "12": 1, "50": 1}


def test_characters_are_all_but_white_space() -> None:
    assert characters(["a b\t:", "A"]) == {"A": 2, "B": 1, ":": 1}


def test_right_text_in_any_order_scores_one(labels: Path) -> None:
    marks = score({"a": ["1,234.50", "total :"]}, labels)
    assert (marks.tokens, marks.characters) == (1.0, 1.0)


def test_missing_and_invented_tokens_both_cost(labels: Path) -> None:
    # Of TOTAL, 1, 234, 50 two are found; one is invented: 2 * 2 / (3 + 4).
    assert score({"a": ["TOTAL 50 x"]}, labels).tokens == pytest.approx(4 / 7)


def test_nothing_read_scores_nothing(labels: Path) -> None:
    assert score({"a": []}, labels).tokens == 0.0


def test_same_figures_as_the_receipts_own_scorer() -> None:
    if not (DATA / "score.py").exists():
        needs.missing("the labelled receipts")
    theirs = _module(DATA / "score.py")
    folder = DATA / "receipts"
    # Labels with every fifth line left out and every seventh wrong, so that no figure is 0 or 1.
    read = {
        path.stem: [text if index % 7 else text[::-1] for index, text in enumerate(expected(path)) if index % 5]
        for path in folder.glob("*.csv")
    }
    marks = score(read, folder)
    assert 0.5 < marks.tokens < 1
    assert marks.tokens == theirs.f1(read, folder, theirs.tokens)
    assert marks.characters == theirs.f1(read, folder, theirs.characters)


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("receipts_score", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
