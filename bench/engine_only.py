"""The engine's own calls alone, as a contestant: the service's tensors, without pre- and post-processing or server.

A program like those of bench/peers/, run by the python of the service's environment, but for one thing: it takes all
images of a pass in one line, paths with tabs between them. The first time that it is given an image it reads it, in
this process, and keeps the tensors that the networks were given; from then on it gives the networks the same tensors
again and does nothing else, several images at a time where the engine runs several forwards at a time, as the service
does. The service can't be faster, but for what its batches gain.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import ppocr
from ppocr.bundle import Bundle
from ppocr.contract import BundleFacts, DetAnswer, Lines, Part, RecAnswer
from predictor.engines.base import Answers, EngineOptions, choose
from transformer.image_file import ImageFile
from transformer.parameters import Parameters
from transformer.reader import Reader
from transformer.settings import ReaderSettings

U8 = NDArray[np.uint8]
Call = tuple[Part, U8]
BUILT_IN = Path(ppocr.__file__).parent / "bundles" / "ppocrv6-small" / "1"


class Engine:
    """A `ppocr.contract.Predictor` without queue or batching, which keeps the calls that it made."""

    def __init__(self, bundle: Bundle) -> None:
        engine, options = choose("auto", EngineOptions(device="cpu"))
        parts: tuple[Part, Part] = ("det", "rec")
        self._facts = bundle.facts()
        self._networks = {part: engine.load(bundle, part, options) for part in parts}
        self.precision = self._networks["rec"].capabilities.precision
        self.name = self._networks["rec"].capabilities.engine
        self.streams = self._networks["rec"].capabilities.streams
        self.calls: list[Call] = []

    def infer(self, part: Part, pixels: U8) -> Answers:
        self.calls.append((part, pixels.copy()))
        return self._networks[part].infer(pixels)

    def replay(self, calls: list[Call]) -> float:
        """Seconds that the networks take for `calls`."""
        begin = time.perf_counter()
        for part, pixels in calls:
            self._networks[part].infer(pixels)
        return time.perf_counter() - begin

    async def facts(self, version: str | None = None) -> BundleFacts:
        return self._facts

    async def det(self, image: U8, deadline: float | None = None, version: str | None = None) -> DetAnswer:
        return DetAnswer(self.infer("det", image[np.newaxis])[0][0], self._facts.identity)

    async def rec(self, lines: Lines, version: str | None = None, deadline: float | None = None) -> RecAnswer:
        """One call for each width, as lines of equal width lie together."""
        ids, probabilities, steps, start = [], [], [], 0
        widths, counts = run_lengths(lines.widths.tolist())
        for width, count in zip(widths, counts, strict=True):
            stop = start + count * self._facts.rec.height * width * 3
            block = lines.pixels[start:stop].reshape(count, self._facts.rec.height, width, 3)
            got = self.infer("rec", block)
            ids.append(got[0].ravel())
            probabilities.append(got[1].ravel())
            steps += [got[0].shape[1]] * count
            start = stop
        answer = np.concatenate(ids), np.concatenate(probabilities), np.asarray(steps, np.int32)
        return RecAnswer(*answer, version=self._facts.identity)

    async def ready(self) -> bool:
        return True

    async def close(self) -> None:
        for network in self._networks.values():
            network.close()


def run_lengths(values: list[int]) -> tuple[list[int], list[int]]:
    """[32, 32, 64] → [32, 64], [2, 1]"""
    starts = [index for index, value in enumerate(values) if index == 0 or value != values[index - 1]]
    return [values[start] for start in starts], [b - a for a, b in zip(starts, [*starts[1:], len(values)], strict=True)]


@dataclasses.dataclass(frozen=True)
class Recording:
    texts: list[str]
    calls: list[Call]


async def record(engine: Engine, reader: Reader, image: Path) -> Recording:
    engine.calls = []
    (page,) = await reader.read_many([ImageFile(image.read_bytes())], Parameters())
    return Recording([line.text for line in page.lines], engine.calls)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model_dir", type=Path, default=BUILT_IN, help="folder with a bundle's manifest")
    parser.add_argument("--warm", type=Path, required=True, help="the image read once before the ready line")
    options = parser.parse_args()

    start = time.perf_counter()
    engine = Engine(Bundle.open(options.model_dir))
    reader = Reader(engine, ReaderSettings())
    with asyncio.Runner() as loop:
        loop.run(record(engine, reader, options.warm))
        facts = {engine.name: engine.precision, "seconds": time.perf_counter() - start}
        print(json.dumps({"ready": facts}), flush=True)
        recordings: dict[str, Recording] = {}
        with ThreadPoolExecutor(engine.streams) as streams:
            for line in sys.stdin:
                paths = line.rstrip("\n").split("\t")
                for path in paths:
                    if path not in recordings:
                        recordings[path] = loop.run(record(engine, reader, Path(path)))
                read = [recordings[path] for path in paths]
                begin = time.perf_counter()
                seconds = list(streams.map(engine.replay, [recording.calls for recording in read]))
                wall = time.perf_counter() - begin
                texts = [recording.texts for recording in read]
                print(json.dumps({"texts": texts, "seconds": seconds, "wall": wall}), flush=True)
        loop.run(reader.close())


if __name__ == "__main__":
    main()
