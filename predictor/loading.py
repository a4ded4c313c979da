"""From settings to networks in memory: finds the bundle, picks the engine, loads, and warms up."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import time
from pathlib import Path
from typing import cast

import ppocr
from ppocr import repository
from ppocr.bundle import Bundle
from ppocr.contract import Part
from ppocr.cpus import available_cpus
from predictor.batching import Limits, NetworkSlot
from predictor.engines.base import Device, Engine, EngineName, EngineOptions, Network, Precision, choose
from predictor.preparing import Networks, Preparation, sizes_at_first, warm_up
from predictor.repository import memory
from predictor.repository.shapes import ShapesInUse
from predictor.settings import NetworkSettings
from predictor.versions import LoadedVersion

log = logging.getLogger("ppocr.predictor")

#: Where the package's own bundle lies.
BUILT_IN = Path(ppocr.__file__).parent / "bundles"
#: Pixels of a batch where the engine names no size. On a CPU a batch of 4 lines of 320 pixels is within 6 % of the
#: fastest, and so are 20 lines of 64; every further size of a batch costs an engine its preparation once.
BATCH_PIXELS = 48 * 1280
CPU_QUEUE_PIXELS, GPU_QUEUE_PIXELS = 16_000_000, 256_000_000


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
    # TensorRT's kernels are built for one image at a time.
    images = 1 if settings.tensorrt else settings.max_batch_items
    with contextlib.ExitStack() as closing:
        det = _open(closing, chosen, bundle, "det", options)
        # Of a lone image nothing else can be computed while its boxes are sought.
        alone = (
            _open(closing, chosen, bundle, "det", dataclasses.replace(options, streams=1)) if _parallel(det) else det
        )
        rec = _open(closing, chosen, bundle, "rec", options)
        loaded = time.monotonic()
        networks: Networks = {"det": [det] if alone is det else [det, alone], "rec": [rec]}
        sizes = sizes_at_first(facts, _batch_pixels(rec, settings), settings.max_batch_items)
        first = usual or sizes
        done = warm_up(networks, seconds, first)
        if settings.prepare_sizes and rec.capabilities.by_size:
            further = [*first[done:], *(size for size in sizes if size not in first)]
            closing.callback(Preparation(networks, further, shapes.quiet).stop)
        open_networks = closing.pop_all()
    log.info(
        "loaded %s in %.1f s and warmed it up on %d sizes in %.1f s: %s",
        bundle.label,
        loaded - began,
        done,
        time.monotonic() - loaded,
        rec.capabilities,
    )

    def close() -> None:
        open_networks.close()
        memory.give_back()

    return LoadedVersion(
        facts=facts,
        capabilities=rec.capabilities,
        det=NetworkSlot(
            "det",
            facts.version,
            shapes.watched("det", det),
            _batch_pixels(det, settings),
            images,
            shapes.watched("det", alone),
        ),
        rec=NetworkSlot(
            "rec", facts.version, shapes.watched("rec", rec), _batch_pixels(rec, settings), settings.max_batch_items
        ),
        close=close,
    )


def _open(closing: contextlib.ExitStack, chosen: Engine, bundle: Bundle, part: Part, options: EngineOptions) -> Network:
    network = chosen.load(bundle, part, options)
    closing.callback(network.close)
    return network


def _parallel(network: Network) -> bool:
    return network.capabilities.streams > 1


def _batch_pixels(network: Network, settings: NetworkSettings) -> int:
    return settings.max_batch_pixels or network.capabilities.batch_pixels or BATCH_PIXELS
