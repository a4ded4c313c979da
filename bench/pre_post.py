"""What pre- and post-processing cost beside the decoding of the same file: python -m bench.pre_post [FOLDER].

The networks run once per image, to record what they answer; then each stage repeats alone, on one thread, and its least
CPU time counts. The bar: all stages together take at most three times cv2.imdecode, on receipts of about 55 lines.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from ppocr.call import Call
from ppocr.contract import DETECTION, RECOGNITION, BundleFacts, Items, Predictor
from predictor.bundle import Bundle
from transformer.algorithms import ctc
from transformer.algorithms.boxes import boxes
from transformer.algorithms.crops import crops
from transformer.algorithms.det_input import det_input
from transformer.algorithms.detection_parameters import DetectionParameters
from transformer.algorithms.directions import directed
from transformer.algorithms.reading_order import reading_order
from transformer.images import decode
from transformer.outputs.page import page_of
from transformer.parameters import Parameters
from transformer.pipeline.page import PageInWork

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]

STAGES = ("decode", "resize", "boxes", "crops", "ctc + page")
#: Receipts "of about 55 lines".
LINES = range(45, 66)


@dataclass(frozen=True)
class Receipt:
    """CPU times of one image in milliseconds: of cv2.imdecode, and of each of STAGES."""

    name: str
    size: tuple[int, int]
    lines: int
    imdecode: float
    stages: F64

    @property
    def ratio(self) -> float:
        return float(self.stages.sum() / self.imdecode)

    def row(self) -> str:
        times = "".join(f"{stage:11.2f}" for stage in self.stages)
        size = f"{self.size[1]}x{self.size[0]}"
        return f"{self.name:12}{size:>11}{self.lines:7}{self.imdecode:10.2f}{times}{self.ratio:8.2f}"


async def measure(path: Path, predictor: Predictor, facts: BundleFacts, repeats: int) -> Receipt:
    """Reads the image at `path` once through `predictor`, then times every stage on what the networks answered."""
    data, raw = path.read_bytes(), np.fromfile(path, np.uint8)
    image = decode(data)
    size = image.shape[0], image.shape[1]
    det, rec = facts.of_task(DETECTION), facts.of_task(RECOGNITION)
    assert det is not None and rec is not None
    parameters = DetectionParameters.of(det, Parameters())
    scaled = det_input(image, det.grid, parameters)
    map_ = await predictor.run(det.name, Items(scaled.reshape(-1), np.array([scaled.shape[:2]], np.int32)))
    probability = map_.outputs["probability"].reshape(scaled.shape[:2])
    found = directed(boxes(probability, size, parameters))[0]
    lines = crops(image, found, rec.grid)
    answer = await predictor.run(rec.name, lines.items)

    def page() -> None:
        readings = lines.by_line(ctc.decode(answer, rec.labels, lines.share))
        page_of(
            PageInWork(
                call=Call(),
                parameters=Parameters(),
                facts=facts,
                image=image,
                size=size,
                free_image=lambda: None,
                max_line_pixels=0,
                boxes=found,
                readings=readings,
                order=reading_order(found),
            )
        )

    def least(work: Callable[[], Any]) -> float:
        return min(_thread_ms(work) for _ in range(repeats))

    stages = (
        least(lambda: decode(data)),
        least(lambda: det_input(image, det.grid, parameters)),
        least(lambda: directed(boxes(probability, size, parameters))),
        least(lambda: crops(image, found, rec.grid)),
        least(page),
    )
    imdecode = least(lambda: cv2.imdecode(raw, cv2.IMREAD_COLOR))
    return Receipt(path.stem, size, len(found), imdecode, np.array(stages))


def _thread_ms(work: Callable[[], Any]) -> float:
    start = time.thread_time()
    work()
    return (time.thread_time() - start) * 1e3


def summary(receipts: Iterable[Receipt], what: str) -> str:
    """Mean stages, median ratio, and the ratio of the sums."""
    rows = list(receipts)
    if not rows:
        return f"{what}: none"
    imdecode = float(np.mean([receipt.imdecode for receipt in rows]))
    stages: F64 = np.mean([receipt.stages for receipt in rows], axis=0)
    parts = ", ".join(f"{name} {stage:.2f}" for name, stage in zip(STAGES, stages, strict=True))
    median = float(np.median([receipt.ratio for receipt in rows]))
    return (
        f"{what} ({len(rows)}): mean ms: imdecode {imdecode:.2f}; {parts}\n"
        f"  times imdecode: median {median:.2f}, worst {max(receipt.ratio for receipt in rows):.2f}, "
        f"of the sums {stages.sum() / imdecode:.2f}"
    )


async def main() -> None:
    from bench.engine_only import BUILT_IN, Engine  # loads an engine's library

    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(os.environ.get("PPOCR_TEST_DATA", "../shared/data")) / "receipts"
    parser.add_argument("folder", type=Path, nargs="?", default=default, help="folder of JPEG files")
    parser.add_argument("--model_dir", type=Path, default=BUILT_IN, help="folder with a bundle's manifest")
    parser.add_argument("--repeats", type=int, default=7, help="runs of each stage, of which the fastest counts")
    options = parser.parse_args()

    cv2.setNumThreads(1)
    engine = Engine(Bundle.open(options.model_dir))
    facts = await engine.facts()
    print(f"{'image':12}{'size':>11}{'lines':>7}{'imdecode':>10}{''.join(f'{s:>11}' for s in STAGES)}{'ratio':>8}")
    receipts = []
    for path in sorted(options.folder.glob("*.jpg")):
        receipts.append(await measure(path, engine, facts, options.repeats))
        print(receipts[-1].row(), flush=True)
    print(summary(receipts, "all"))
    print(summary((r for r in receipts if r.lines in LINES), f"{LINES.start} to {LINES.stop - 1} lines"))
    await engine.close()


if __name__ == "__main__":
    import asyncio

    asyncio.run(main())
