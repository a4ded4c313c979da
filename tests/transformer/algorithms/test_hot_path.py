"""Boxes, crops, CTC and words run in a pool of threads, on arrays that others hold as well."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from numpy.typing import NDArray

from ppocr.contract import Answer
from tests.networks import DET, rec
from transformer.algorithms.boxes import boxes
from transformer.algorithms.crops import crops
from transformer.algorithms.ctc import decode
from transformer.algorithms.det_input import det_input
from transformer.algorithms.detection_parameters import DetectionParameters
from transformer.algorithms.words import words

REC = rec("", *"abcdefghijklmnopqrstuvwxyz ")
OWN = DetectionParameters()
U8 = NDArray[np.uint8]


def page(seed: int) -> U8:
    """Dark bars on white, as high as lines of text; level ones, tilted ones and a tall one."""
    rng = np.random.default_rng(seed)
    image = np.full((700, 900, 3), 255, np.uint8)
    for y in range(60, 640, 80):
        bar = (
            (float(rng.uniform(250, 500)), float(y)),
            (float(rng.uniform(100, 400)), 28.0),
            float(rng.choice((0, 2, -6))),
        )
        cv2.fillConvexPoly(image, np.asarray(cv2.boxPoints(bar)).astype(np.int32), rng.integers(0, 90, 3).tolist())
    cv2.rectangle(image, (800, 100), (830, 500), (0, 0, 0), cv2.FILLED)
    return image


def read(image: U8) -> tuple[list[bytes], list[str]]:
    """All stages, with the image's own darkness as its probability map and pixels as class ids."""
    scaled = det_input(image, DET.grid, OWN)
    probability = 255 - scaled.max(axis=2)
    probability.setflags(write=False)
    found = boxes(probability, image.shape[:2], OWN)
    found.setflags(write=False)
    lines = crops(image, found, REC.grid)
    steps, pixels = lines.items.sizes[:, 1] // 8, lines.items.pixels
    ids = pixels[:: len(pixels) // int(steps.sum())][: int(steps.sum())].astype(np.int32) % len(REC.labels)
    answer = Answer({"ids": ids, "probabilities": np.ones(len(ids), np.float32)}, steps, "1")
    for array in (*answer.outputs.values(), answer.counts):
        array.setflags(write=False)
    readings = lines.by_line(decode(answer, REC.labels, lines.share))
    split = words(readings, found)
    points = b"".join(word.points.tobytes() for line in split for word in line)
    return [found.tobytes(), lines.line.tobytes(), pixels.tobytes(), points], [reading.text for reading in readings]


def test_arrays_of_others_are_only_read() -> None:
    image = page(0)
    image.setflags(write=False)
    before = image.copy()
    _, texts = read(image)
    assert len(texts) == 9
    assert np.array_equal(image, before)


def test_threads_do_not_disturb_each_other() -> None:
    images = [page(seed) for seed in range(6)]
    alone = [read(image) for image in images]
    with ThreadPoolExecutor(8) as threads:
        for _ in range(5):
            assert list(threads.map(read, images * 2)) == alone * 2
