from __future__ import annotations

from pathlib import Path

import pytest

from bench.bars import bars
from bench.contestants import LineProgram, Pass
from bench.docling import MODELS, docling
from bench.machine import Machine, machine
from bench.results import Row, quantile, ratio, row, table, yardstick
from bench.score import Score

MARKS = Score(tokens=0.9, characters=0.95)


def made(name: str, walls: list[float], *, ours: bool = False, tokens: float = 0.9) -> Row:
    contestant = LineProgram(name, "v6 small", list, ours=ours)
    contestant.facts.reported = {"ready_seconds": 2.0}
    passes = [Pass({"a": ["x"], "b": []}, [wall / 2, wall / 2], wall, memory=2**20, cpu=1.0) for wall in walls]
    return row(contestant, passes, Score(tokens, 0.95))


def test_first_reading_warms_up_and_does_not_count() -> None:
    one = made("peer", [100.0, 2.0, 1.0, 4.0])
    assert one.first_rate == pytest.approx(0.02)
    assert one.rates == [1.0, 2.0, 0.5]
    assert one.rate == 1.0


def test_ratio_is_taken_within_a_round() -> None:
    # The second round was ten times as slow for both: the ratio is 2 in each.
    assert ratio(made("ours", [1, 1, 10]), made("peer", [1, 2, 20])) == pytest.approx(2.0)


def test_yardstick_is_the_fastest_of_the_others() -> None:
    rows = [made("slow", [1, 4]), made("fast", [1, 2]), made("mine", [1, 1], ours=True)]
    found = yardstick(rows, "v6 small")
    assert found is not None and found.name == "fast"


def test_quantile_is_a_value_that_was_measured() -> None:
    values = [float(value) for value in range(1, 101)]
    assert (quantile(values, 0.5), quantile(values, 0.99), quantile([7.0], 0.99)) == (50.0, 99.0, 7.0)


def test_a_round_that_read_something_else_shows() -> None:
    contestant = LineProgram("peer", "v6 small", list)
    passes = [Pass({"a": [text]}, [1.0], 1.0, memory=1, cpu=1.0) for text in ("x", "x", "y")]
    assert not row(contestant, passes, MARKS).same_texts


def test_table_has_a_row_a_contestant() -> None:
    text = table([made("peer", [1, 2]), made("ours, 1 client", [1, 1], ours=True)])
    assert "| peer | v6 small | 1.00 | 1.00 x |" in text
    assert "| ours, 1 client | v6 small | 2.00 | 2.00 x |" in text


@pytest.mark.parametrize(("flags", "needed"), [("avx2 fma", 1.2), ("avx2 fma avx512_bf16", 1.4)])
def test_bar_depends_on_the_instructions(flags: str, needed: float) -> None:
    here = machine(f"flags : {flags}\nmodel name : Test")
    found = bars([made("peer", [1, 1.3]), made("ours, 1 client", [1, 1], ours=True)], here)
    against = next(bar for bar in found if "against peer" in bar.what)
    assert against.needed == needed
    assert against.cleared is (needed < 1.3)


def test_lower_f1_than_the_peer_fails_its_bar() -> None:
    found = bars([made("peer", [1, 1]), made("ours, 1 client", [1, 1], ours=True, tokens=0.89)], machine(""))
    assert [bar.cleared for bar in found if "F1" in bar.what] == [False]


def test_machine_knows_its_extensions() -> None:
    here: Machine = machine("model name\t: A CPU\nflags\t\t: fpu avx2 fma avx512f avx512bw avx512vl\n")
    assert here.cpu.startswith("A CPU")
    assert here.extensions == {"AVX2": True, "AVX-512": True, "AVX-512 bf16": False, "AMX": False}
    assert here.cores >= 1 and Path("/proc").exists()


def test_doclings_rows_have_names_of_their_own_and_no_bar() -> None:
    ours = [one for one in docling("python") if one.ours]
    names = [one.name for one in docling("python")]
    assert len(set(names)) == len(names) == 2 * len(ours) - 1
    rows = [row(one, [Pass({"a": ["x"]}, [1.0], 1.0, memory=1, cpu=1.0)] * 2, MARKS) for one in docling("python")]
    assert bars(rows, machine("flags : avx2")) == []
    assert {one.models for one in rows} == {MODELS}
