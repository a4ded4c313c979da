"""The bars that a run can check, each a ratio of rows of that one run, and whether it is cleared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.docling import MODELS as DOCLING
from bench.machine import Machine
from bench.results import Row, ratio, yardstick
from bench.retired.servers import MODELS as OLD_FORMATS
from bench.wire import PIPELINE

ONE, EIGHT, ENGINE, TWO = "1 client", "8 clients", "engine calls alone", "two processes"
START_SECONDS = 5.0


@dataclass(frozen=True)
class Bar:
    """`needed` and `measured` are in the unit that `what` names; `at_most` turns the comparison round."""

    what: str
    needed: float
    measured: float
    at_most: bool = False

    @property
    def cleared(self) -> bool:
        return self.measured <= self.needed if self.at_most else self.measured >= self.needed


def bars(rows: Sequence[Row], machine: Machine) -> list[Bar]:
    """Those whose rows took part. They differ between CPUs with bf16 instructions and CPUs without."""
    return [bar for models in dict.fromkeys(row.models for row in rows) for bar in _of(rows, models, machine)]


def _of(rows: Sequence[Row], models: str, machine: Machine) -> Iterator[Bar]:
    fast = machine.extensions["AVX-512 bf16"] or machine.extensions["AMX"]
    if models == OLD_FORMATS:
        yield from _against_paddleserving(rows, fast)
        return
    if models == DOCLING:
        return
    against_peer = {"v6 small": (1.2, 1.4), "v4 mobile": (1.9, 5.0)}[models][fast]
    by_kind = {kind: row for row in rows if row.models == models and row.ours for kind in [_kind(row)]}
    base = yardstick(rows, models)
    one, eight = by_kind.get(ONE), by_kind.get(EIGHT)
    for row in (one, eight):
        if row and base:
            yield Bar(f"{models}, {_kind(row)}: images/s against {base.name}", against_peer, ratio(row, base))
    if one and base:
        yield Bar(f"{models}: token F1, not below that of {base.name}", base.score.tokens, one.score.tokens)
    if eight and ENGINE in by_kind:
        share = ratio(eight, by_kind[ENGINE])
        yield Bar(f"{models}: images/s against its engine calls alone", (0.95, 0.90)[fast], share)
    if one and eight:
        yield Bar(f"{models}: images/s, 8 clients against 1", 1.0, ratio(eight, one))
    if eight and TWO in by_kind:
        yield Bar(f"{models}: images/s, two processes against one", 0.95, ratio(by_kind[TWO], eight))
    if one:
        yield Bar(f"{models}: start to ready, seconds", START_SECONDS, one.reported["ready_seconds"], at_most=True)


def _against_paddleserving(rows: Sequence[Row], fast: bool) -> Iterator[Bar]:
    named = {row.name: row for row in rows if row.models == OLD_FORMATS}
    mine, theirs = named.get(f"ours, {PIPELINE.name}"), named.get("PaddleServing tuned")
    if mine and theirs:
        yield Bar(f"images/s in the pipeline's format against {theirs.name}", (4, 6)[fast], ratio(mine, theirs))
        yield Bar(f"token F1, not below that of {theirs.name}", theirs.score.tokens, mine.score.tokens)


def _kind(row: Row) -> str:
    return row.name.rpartition(", ")[2]


def table(found: Sequence[Bar]) -> str:
    lines = ["| bar | needed | measured | cleared |", "|---|---:|---:|---|"]
    for bar in found:
        sign = "≤" if bar.at_most else "≥"
        verdict = "yes" if bar.cleared else "**no**"
        lines.append(f"| {bar.what} | {sign} {bar.needed:.4g} | {bar.measured:.4g} | {verdict} |")
    return "\n".join(lines)
