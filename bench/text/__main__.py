"""Reads images of each kind by a service, and prints how wrong it was: `make bench-text`.

    python -m bench.text [--count N] [--seed S] [--url URL] [--only WORD …] [--save DIR] [--receipts DIR]

Without --url a service is started. --save writes the images of the cases that were read wrongly, for a look. RapidOCR reads them
too where its environment was made (bench/README.md).
"""

from __future__ import annotations

import argparse
import contextlib
import math
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench import environments
from bench.text import peer, reading, receipts
from bench.text.case import Case, Kind, Line
from bench.text.kinds import kinds

Read = Callable[[Case], Sequence[Line]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20, help="images of each kind [20]")
    parser.add_argument("--seed", type=int, default=1, help="what they are drawn from [1]")
    parser.add_argument("--url", help="a service that runs; one is started by default")
    parser.add_argument("--only", nargs="*", default=[], help="kinds that have one of these words in their names")
    parser.add_argument("--save", type=Path, help="a folder for the images that were read wrongly")
    parser.add_argument("--receipts", type=Path, help="a folder of labelled receipts: NAME.jpg and NAME.csv")
    options = parser.parse_args()
    chosen = [kind for kind in kinds() if not options.only or any(word in kind.name for word in options.only)]
    with contextlib.ExitStack() as stack:
        readers: dict[str, Read] = {"ours": _service(stack.enter_context(reading.service(options.url)))}
        if (environments.ROOT / "rapidocr").is_dir():
            readers["RapidOCR"] = stack.enter_context(peer.rapidocr(environments.python("rapidocr")))
        print("| kind | error | bar | " + " | ".join(readers) + " |")
        print("|---|---|---|" + "---|" * len(readers))
        for kind in chosen:
            cases = kind.cases(options.seed, options.count)
            errors = [_mean(kind, cases, read, name, options.save) for name, read in readers.items()]
            print(
                f"| {kind.name} | {kind.unit} | {_percent(kind.bar)} | {' | '.join(map(_percent, errors))} |",
                flush=True,
            )

        if options.receipts is not None:
            _receipts(options.receipts, readers)


def _receipts(folder: Path, readers: Mapping[str, Read]) -> None:
    print("\n| receipts | reader | token F1 | character F1 | neighbours out of order | CER as labelled | CER in rows |")
    print("|---|---|---|---|---|---|---|")
    for change in receipts.CHANGES:
        for name, read in readers.items():
            figures = receipts.read(folder, change, read)
            cells = f"{figures.tokens:.4f} | {figures.characters:.4f}"
            rates = map(_percent, (figures.out_of_order, figures.as_labelled, figures.in_rows))
            print(f"| {change.name} | {name} | {cells} | {' | '.join(rates)} |", flush=True)


def _service(url: str) -> Read:
    return lambda case: reading.read(url, case)


def _mean(kind: Kind, cases: Sequence[Case], read: Read, name: str, save: Path | None) -> float:
    errors = []
    for case in cases:
        lines = read(case)
        errors.append(error := kind.error(case, lines))
        if error > kind.bar and name == "ours":
            print(f"{case.name}: {error:.3f}: {[line['text'] for line in lines]!r:.200}", file=sys.stderr)
            if save is not None:
                save.mkdir(parents=True, exist_ok=True)
                (save / f"{case.name}.img").write_bytes(case.image)
    return statistics.fmean(errors)


def _percent(part: float) -> str:
    """A reader that gives no places of words has an infinite error there."""
    if math.isinf(part):
        return "none"
    return f"{part * 100:.2f} %"


if __name__ == "__main__":
    main()
