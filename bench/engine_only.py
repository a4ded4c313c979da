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
import itertools
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import ppocr
from ppocr.call import Call
from ppocr.contract import Answer, BundleFacts, Items
from ppocr_api.document import Page
from predictor.bundle import Bundle
from predictor.engines.base import Answers, EngineOptions
from predictor.engines.choice import choose
from transformer.image_file import ImageFile
from transformer.parameters import Parameters
from transformer.reader import Reader
from transformer.settings import ReaderSettings

U8 = NDArray[np.uint8]
NetworkCall = tuple[str, U8]
BUILT_IN = Path(ppocr.__file__).parent / "bundles" / "ppocrv6-small" / "1"


class Engine:
    """A `ppocr.contract.Predictor` without queue or batching, which keeps the calls that it made."""

    def __init__(self, bundle: Bundle) -> None:
        engine, options = choose("auto", EngineOptions(device="cpu"))
        self._facts = bundle.facts()
        self._networks = {network.name: engine.load(bundle, network, options) for network in self._facts.networks}
        known = next(iter(self._networks.values())).capabilities
        self.precision, self.name, self.streams = known.precision, known.engine, known.streams
        self.calls: list[NetworkCall] = []

    def infer(self, network: str, pixels: U8) -> Answers:
        self.calls.append((network, pixels.copy()))
        return self._networks[network].infer(pixels)

    def replay(self, calls: list[NetworkCall]) -> float:
        """Seconds that the networks take for `calls`."""
        begin = time.perf_counter()
        for network, pixels in calls:
            self._networks[network].infer(pixels)
        return time.perf_counter() - begin

    async def facts(self, version: str | None = None) -> BundleFacts:
        return self._facts

    async def run(
        self, network: str, items: Items, *, version: str | None = None, deadline: float | None = None, share: str = ""
    ) -> Answer:
        """One call for each size, as items of equal size lie together."""
        facts = self._facts.network(network)
        assert facts is not None
        blocks, counts, start = [], [], 0
        for (height, width), count in run_lengths([(h, w) for h, w in items.sizes.tolist()]):
            stop = start + count * height * width * 3
            block = self.infer(network, items.pixels[start:stop].reshape(count, height, width, 3))
            blocks.append(block)
            counts += [block[0].size // count] * count
            start = stop
        outputs = {
            output.name: np.concatenate([block[index].ravel() for block in blocks])
            for index, output in enumerate(facts.outputs)
        }
        return Answer(outputs, np.asarray(counts, np.int32), self._facts.identity)

    async def ready(self) -> bool:
        return True

    async def close(self) -> None:
        for network in self._networks.values():
            network.close()


def run_lengths(values: list[tuple[int, int]]) -> list[tuple[tuple[int, int], int]]:
    """[a, a, b] → [(a, 2), (b, 1)]"""
    return [(value, len(list(equal))) for value, equal in itertools.groupby(values)]


@dataclasses.dataclass(frozen=True)
class Recording:
    texts: list[str]
    calls: list[NetworkCall]


async def record(engine: Engine, reader: Reader, image: Path) -> Recording:
    engine.calls = []
    (page,) = await reader.read_many([ImageFile(image.read_bytes())], Parameters(), Call())
    assert isinstance(page, Page)
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
