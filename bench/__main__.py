"""python -m bench: the service beside others that use the same models, on a folder of images with labels."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from bench import environments
from bench.bars import EIGHT, ENGINE, ONE, TWO, bars
from bench.bars import table as table_of_bars
from bench.contestants import Contestant, Pass, PassProgram, peers
from bench.docling import docling
from bench.machine import keep_to_cores, machine
from bench.processes import end_on_sigterm
from bench.results import as_json, row, table
from bench.retired.servers import MODELS as OLD_FORMATS
from bench.retired.servers import retired
from bench.score import score
from bench.service import Served, all_in_one, two_processes
from bench.wire import HUB, PADDLEX, PIPELINE

SUFFIXES = {".jpg", ".jpeg", ".png"}
HERE = Path(__file__).parent
V4 = "v4 mobile"


def main(argv: Sequence[str] | None = None) -> None:
    options = arguments(argv)
    end_on_sigterm()
    if options.cores:
        keep_to_cores(options.cores)
    images = sorted(path for path in options.images.iterdir() if path.suffix.lower() in SUFFIXES)[: options.count]
    if not images:
        raise SystemExit(f"no images in {options.images}")
    everybody = [*peers(), *ours(options), *(retired_and_ours(options) if options.retired else [])]
    everybody += docling(options.python) if options.docling else []
    takes_part = chosen(everybody, options.only)
    if options.v4 == environments.V4_BUNDLE and any(one.ours and one.models in (V4, OLD_FORMATS) for one in takes_part):
        environments.v4_bundle(options.python)
    facts = machine()
    say(f"{len(images)} images, {options.rounds} rounds, {len(takes_part)} contestants. {facts.sentence()}")

    passes = rounds(takes_part, images, options.rounds, options.labels)
    finished = [one for one in takes_part if key(one) in passes]
    rows = [row(one, passes[key(one)], score(passes[key(one)][-1].texts, options.labels)) for one in finished]
    cleared = bars(rows, facts)
    print(table(rows), table_of_bars(cleared), sep="\n\n", end="\n\n")
    print(f"{facts.sentence()}. {len(images)} images, median of {options.rounds} rounds.")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    results = {"machine": dataclasses.asdict(facts), "images": len(images), "rows": [as_json(one) for one in rows]}
    results["bars"] = [dataclasses.asdict(bar) for bar in cleared]
    options.out.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    say(f"written to {options.out}")
    if len(finished) < len(takes_part):
        raise SystemExit(1)


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--images", type=Path, default=receipts(), help="folder of images [%(default)s]")
    parser.add_argument("--labels", type=Path, help="folder of labels, NAME.csv for each image [that of the images]")
    parser.add_argument("--rounds", type=int, default=3, help="passes over the images that are measured [3]")
    parser.add_argument("--count", type=int, help="take only the first N images")
    parser.add_argument("--cores", type=int, help="keep everything to so many cores [all]")
    parser.add_argument("--only", nargs="+", metavar="TEXT", help="contestants whose names or models hold one of these")
    parser.add_argument("--python", default=sys.executable, help="python of the service's environment [this one]")
    parser.add_argument("--v4", type=Path, metavar="BUNDLE", help="the service's PP-OCRv4 mobile [made from its wheel]")
    parser.add_argument(
        "--retired",
        type=Path,
        metavar="CHECKOUT",
        help="also measure PaddleServing, PaddleHub and PaddleX, whose code a git checkout of PaddleOCR holds",
    )
    parser.add_argument("--docling", action="store_true", help="also measure docling's OCR stage, local and with ours")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "results.json", help="where the figures go")
    options = parser.parse_args(argv)
    options.labels, options.v4 = options.labels or options.images, options.v4 or environments.V4_BUNDLE
    return options


def receipts() -> Path:
    """The labelled receipts where they are, else the three that come with the tests."""
    folder = Path(os.environ.get("PPOCR_TEST_DATA", HERE.parents[1] / "shared" / "data")) / "receipts"
    return folder if folder.is_dir() else HERE.parent / "tests" / "data"


def ours(options: argparse.Namespace) -> list[Contestant]:
    """The service with the models of each peer, and what its own parts cost."""
    found: list[Contestant] = []
    for models in ("v6 small", V4):
        where = ["--model_dir", options.v4.resolve()] if models == V4 else []
        service, apart = all_in_one(options.python, *where), two_processes(options.python, *where)
        found += [
            Served(f"ours, {ONE}", models, service, 1),
            Served(f"ours, {EIGHT}", models, service, 8),
            Served(f"ours, 8 clients, {TWO}", models, apart, 8),
            PassProgram(f"ours, {ENGINE}", models, partial(engine_only, options.python, where), ours=True),
        ]
    return found


def retired_and_ours(options: argparse.Namespace) -> list[Contestant]:
    """The retired servers with 8 clients, and the service that their clients ask in their own formats."""
    service = all_in_one(options.python, "--model_dir", options.v4.resolve())
    asked = [Served(f"ours, {wire.name}", OLD_FORMATS, service, 8, wire) for wire in (PIPELINE, HUB, PADDLEX)]
    return [*retired(options.retired), *asked]


def engine_only(python: str, where: Sequence[str | Path]) -> list[str | Path]:
    return [python, "-m", "bench.engine_only", *where]


def chosen(all_of_them: Sequence[Contestant], only: Sequence[str] | None) -> list[Contestant]:
    wanted = [text.lower() for text in only or [""]]
    found = [one for one in all_of_them if any(text in f"{one.name} {one.models}".lower() for text in wanted)]
    if not found:
        raise SystemExit(f"nothing is called {only}: there is {', '.join(one.name for one in all_of_them)}")
    return found


def rounds(
    takes_part: Sequence[Contestant], images: Sequence[Path], count: int, labels: Path
) -> dict[tuple[str, str], list[Pass]]:
    """Starts everyone, then reads in turns (A B C A B C …), so that the machine's moods hit all alike.

    The first of each list is the first reading after the start, which warms the contestant up; then comes one a round.
    Who can't start or fails on the first reading is left out.
    """
    passes: dict[tuple[str, str], list[Pass]] = {}
    with ExitStack() as stack:
        for one in takes_part:
            stack.callback(one.stop)
            try:
                one.start(images)
                passes[key(one)] = [one.read(images)]
            except RuntimeError as error:
                say(f"left out    {label(one)}  {error}")
                continue
            say(f"first time  {label(one)}  {passes[key(one)][0].rate:6.2f} images/s  {one.facts.reported}")
        for number in range(1, count + 1):
            for one in (one for one in takes_part if key(one) in passes):
                read = one.read(images)
                passes[key(one)].append(read)
                marks = score(read.texts, labels)
                say(f"round {number} of {count}  {label(one)}  {read.rate:6.2f} images/s  token F1 {marks.tokens:.4f}")
    return passes


def key(one: Contestant) -> tuple[str, str]:
    return one.name, one.models


def label(one: Contestant) -> str:
    return f"{one.models:9}  {one.name:24}"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
