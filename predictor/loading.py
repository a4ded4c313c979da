"""From settings to networks in memory: finds the bundle, picks the engine, loads, and warms up."""

from __future__ import annotations

import contextlib
import itertools
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np

import ppocr
from ppocr import repository
from ppocr.bundle import Bundle
from ppocr.contract import BundleFacts, Part
from ppocr.cpus import available_cpus
from ppocr.errors import InvalidRequest
from predictor.batching import Limits, NetworkSlot
from predictor.engines.base import Device, Engine, EngineName, EngineOptions, Network, Precision, choose
from predictor.repository import memory
from predictor.repository.shapes import Shape, ShapesInUse
from predictor.settings import NetworkSettings
from predictor.versions import LoadedVersion

log = logging.getLogger("ppocr.predictor")

#: Where the package's own bundle lies.
BUILT_IN = Path(ppocr.__file__).parent / "bundles"
#: Pixels of a batch where the engine names no size. On a CPU a batch of 4 lines of 320 pixels is within 6 % of the
#: fastest, and so are 20 lines of 64; every further size of a batch costs an engine its preparation once.
BATCH_PIXELS = 48 * 1280
CPU_QUEUE_PIXELS, GPU_QUEUE_PIXELS = 16_000_000, 256_000_000
#: A4 and receipts, upright and across, with a long side of 960.
USUAL_IMAGES = ((960, 736), (736, 960))
USUAL_WIDTHS = range(64, 513, 32)


def engine(settings: NetworkSettings) -> tuple[Engine, EngineOptions]:
    """Raises ConfigError where the machine or the installation doesn't have what the settings ask for."""
    options = EngineOptions(
        device=cast(Device, settings.device),
        device_id=settings.device_id,
        precision=cast(Precision, settings.precision),
        threads=settings.threads,
        streams=settings.workers,
        tensorrt=settings.tensorrt,
        cache_dir=Path(settings.engine_cache_dir) if settings.engine_cache_dir else None,
    )
    return choose(cast(EngineName, settings.engine), options)


def limits(settings: NetworkSettings, loaded: LoadedVersion) -> Limits:
    """The scheduler's limits; what the settings leave open is chosen for the device that the networks run on."""
    on_gpu = loaded.capabilities.device != "CPU"
    queue = GPU_QUEUE_PIXELS if on_gpu else CPU_QUEUE_PIXELS * (settings.threads or available_cpus())
    return Limits(
        max_queue_pixels=settings.max_queue_pixels or queue,
        batch_wait=settings.batch_wait_ms / 1000,
        workers=settings.workers or (2 if on_gpu else loaded.capabilities.streams),
        prefetch=on_gpu,
        powers_of_two=True,
    )


def root(settings: NetworkSettings) -> Path:
    """The repository's folder."""
    return Path(settings.model_dir) if settings.model_dir else BUILT_IN


def find(settings: NetworkSettings) -> repository.Entry:
    """The version that the settings name; a folder with a manifest is the bundle itself. Raises BundleError."""
    return repository.find(root(settings), settings.bundle, settings.bundle_version)


def load(bundle: Bundle, settings: NetworkSettings, shapes: ShapesInUse | None = None) -> LoadedVersion:
    """Checks the digests, loads both networks, warms them up. Takes seconds: not for the event loop's thread.

    `shapes` counts the sizes that the networks are given from now on; those that it has counted are the ones to warm up
    on. Raises BundleError, ConfigError.
    """
    shapes = shapes or ShapesInUse()
    usual = shapes.usual()
    seconds = settings.swap_warm_up_seconds if usual else settings.warm_up_seconds
    began = time.monotonic()
    chosen, options = engine(settings)
    bundle.verify()
    facts = bundle.facts()
    with contextlib.ExitStack() as closing:
        det = chosen.load(bundle, "det", options)
        closing.callback(det.close)
        rec = chosen.load(bundle, "rec", options)
        closing.callback(rec.close)
        loaded = time.monotonic()
        sizes = warm_up(det, rec, seconds, usual or usual_at_first(facts))
        networks = closing.pop_all()
    log.info(
        "loaded %s in %.1f s and warmed it up on %d sizes in %.1f s: %s",
        bundle.label,
        loaded - began,
        sizes,
        time.monotonic() - loaded,
        rec.capabilities,
    )

    def close() -> None:
        networks.close()
        memory.give_back()

    # TensorRT's kernels are built for one image at a time.
    images = 1 if settings.tensorrt else settings.max_batch_items
    return LoadedVersion(
        facts=facts,
        capabilities=rec.capabilities,
        det=NetworkSlot("det", facts.version, shapes.watched("det", det), _batch_pixels(det, settings), images),
        rec=NetworkSlot(
            "rec", facts.version, shapes.watched("rec", rec), _batch_pixels(rec, settings), settings.max_batch_items
        ),
        close=close,
        bytes_of_files=bundle.network_bytes,
    )


def usual_at_first(facts: BundleFacts) -> list[tuple[Part, Shape]]:
    """Sizes that most services are asked for."""
    counts_and_widths = itertools.product((1, 2, 4), USUAL_WIDTHS)
    lines: list[tuple[Part, Shape]] = [
        ("rec", (count, facts.rec.height, width, 3)) for count, width in counts_and_widths
    ]
    images: list[tuple[Part, Shape]] = [("det", (1, *image, 3)) for image in USUAL_IMAGES]
    return [*images[:1], *lines[:1], *images[1:], *lines[1:]]


def warm_up(det: Network, rec: Network, seconds: float, shapes: Sequence[tuple[Part, Shape]]) -> int:
    """Runs the networks on `shapes`, each once, until `seconds` have passed; returns how many.

    Engines prepare themselves for every new size of input, on a CPU for some 20 ms, and for longer on the very first.
    """
    deadline = time.monotonic() + seconds
    for done, (part, shape) in enumerate(shapes):
        if time.monotonic() >= deadline:
            return done
        # Sizes that another version was given, and that this one doesn't take, need no preparation.
        with contextlib.suppress(InvalidRequest):
            (det if part == "det" else rec).infer(np.zeros(shape, np.uint8))
    return len(shapes)


def _batch_pixels(network: Network, settings: NetworkSettings) -> int:
    return settings.max_batch_pixels or network.capabilities.batch_pixels or BATCH_PIXELS
