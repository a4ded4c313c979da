"""Loads networks by the settings: finds the bundle, chooses the engine, loads, and warms up."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import ppocr
from ppocr.contract import NetworkFacts
from ppocr_limits.cpus import available_cpus
from predictor import external_data, sample
from predictor.at_first_use import NetworkAtFirstUse
from predictor.batching import Limits, NetworkSlot
from predictor.bundle import Bundle
from predictor.engines.base import Capabilities, Device, Engine, EngineName, EngineOptions, Network, Precision
from predictor.engines.choice import choose
from predictor.preparing import Preparation, sizes_at_first, sizes_in_use, warm_up
from predictor.repository import folders, memory
from predictor.repository.shapes import ShapesInUse
from predictor.settings import NetworkSettings
from predictor.versions import LoadedVersion

log = logging.getLogger("ppocr.predictor")

#: The repository with the package's own bundle.
BUILT_IN = Path(ppocr.__file__).parent / "bundles"
#: Pixels of a batch if the engine names no size. On a CPU a batch of 4 lines of 320 pixels is within 6 % of the
#: fastest, and so are 20 lines of 64; the engine has to be prepared for every further size of a batch.
BATCH_PIXELS = 48 * 1280
CPU_QUEUE_PIXELS, GPU_QUEUE_PIXELS = 16_000_000, 256_000_000


def engine(settings: NetworkSettings) -> tuple[Engine, EngineOptions]:
    """Raises ConfigError if the machine or the installation doesn't have what the settings ask for."""
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
    """The scheduler's limits. Settings that are 0 get a value that suits the device of the networks."""
    on_gpu = loaded.capabilities.device != "CPU"
    queue = GPU_QUEUE_PIXELS if on_gpu else CPU_QUEUE_PIXELS * (settings.threads or available_cpus())
    return Limits(
        max_queue_pixels=settings.max_queue_pixels or queue,
        batch_wait=settings.batch_wait_ms / 1000,
        workers=settings.workers or max(loaded.capabilities.streams, 2 if on_gpu else 1),
        prefetch=on_gpu,
        powers_of_two=not loaded.capabilities.fills_batches,
    )


def root(settings: NetworkSettings) -> Path:
    """The repository's folder."""
    return Path(settings.model_dir) if settings.model_dir else BUILT_IN


def find(settings: NetworkSettings) -> folders.Entry:
    """The version that the settings name; a folder with a manifest is the bundle itself. Raises BundleError."""
    return folders.find(root(settings), settings.bundle, settings.bundle_version)


def load(bundle: Bundle, settings: NetworkSettings, shapes: ShapesInUse | None = None) -> LoadedVersion:
    """Checks the digests, loads all networks, and warms them up. Takes seconds: not for the event loop's thread.

    On a CPU, networks with a single input size are loaded only as a check, and stay in memory from their first use on.

    `shapes` counts the input sizes of the networks from now on. The networks are warmed up on the sizes that it has counted
    so far, if there are any. Raises BundleError, ConfigError.
    """
    shapes = shapes or ShapesInUse()
    usual = shapes.usual()
    seconds = settings.swap_warm_up_seconds if usual else settings.warm_up_seconds
    began = time.monotonic()
    chosen, options = engine(settings)
    bundle.verify()
    external_data.check(bundle)
    facts = bundle.facts()
    networks: dict[str, list[Network]] = {}
    with contextlib.ExitStack() as closing:
        for network in facts.networks:
            networks[network.name] = [_open(closing, chosen, bundle, network, options)]
            known = _capabilities(networks)
            if network.grid.whole_pages and known.streams > 1 and known.device == "CPU":
                # While the page of a single image is computed, nothing else can run, so it gets all threads.
                alone = dataclasses.replace(options, streams=1)
                networks[network.name].append(_open(closing, chosen, bundle, network, alone))
        loaded, capabilities = time.monotonic(), _capabilities(networks)
        batch_pixels = settings.max_batch_pixels or capabilities.batch_pixels or BATCH_PIXELS
        in_memory = [
            network for network in facts.networks if not isinstance(networks[network.name][0], NetworkAtFirstUse)
        ]
        sizes = sizes_at_first(
            in_memory, batch_pixels, settings.max_batch_items, usual_alone=capabilities.fills_batches
        )
        first = sizes_in_use(usual, sizes) if usual else sizes
        done = warm_up(networks, seconds, first)
        if settings.prepare_sizes and capabilities.by_size:
            further = [*first[done:], *(size for size in sizes if size not in first)]
            closing.callback(Preparation(networks, further, shapes.quiet).stop)
        open_networks = closing.pop_all()
    log.info(
        "loaded %s in %.1f s and warmed it up on %d sizes in %.1f s: %s",
        bundle.label,
        loaded - began,
        done,
        time.monotonic() - loaded,
        capabilities,
    )

    def close() -> None:
        open_networks.close()
        memory.release_freed()

    slots = {
        network.name: NetworkSlot(
            network.name,
            place,
            facts.version,
            shapes.watched(network.name, networks[network.name][0]),
            batch_pixels,
            # On a GPU, kernels for pages are made for one page at a time.
            1 if capabilities.device != "CPU" and network.grid.whole_pages else settings.max_batch_items,
            shapes.watched(network.name, networks[network.name][-1]),
        )
        for place, network in enumerate(facts.networks)
    }
    return LoadedVersion(facts, capabilities, slots, close)


def _open(
    closing: contextlib.ExitStack, chosen: Engine, bundle: Bundle, network: NetworkFacts, options: EngineOptions
) -> Network:
    opened = chosen.load(bundle, network, options)
    try:
        sample.check(opened, network, bundle.label)
    except BaseException:
        opened.close()
        raise
    # On a GPU, engines may take minutes to load a network: too long for the first request.
    if network.grid.one_size and opened.capabilities.device == "CPU":
        opened = NetworkAtFirstUse(opened, functools.partial(_load_again, chosen, bundle, network, options))
    closing.callback(opened.close)
    return opened


def _load_again(chosen: Engine, bundle: Bundle, network: NetworkFacts, options: EngineOptions) -> Network:
    # The folder may hold other files by now, whose answers would be taken for this version's.
    bundle.verify()
    return chosen.load(bundle, network, options)


def _capabilities(networks: Mapping[str, Sequence[Network]]) -> Capabilities:
    """Equal for all networks, because one engine loads them; only those for a lone page differ, which have one stream."""
    return next(iter(networks.values()))[0].capabilities
