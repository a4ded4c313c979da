"""Opens a predictor by the settings: loads the networks, and starts the batching scheduler and its metrics."""

from __future__ import annotations

import asyncio
import dataclasses
from dataclasses import dataclass
from functools import partial

from ppocr_api.errors import BundleError, ConfigError
from ppocr_limits.memory import keep_level
from predictor import loading
from predictor.batching import Scheduler
from predictor.local import LocalPredictor
from predictor.observing import QUEUES, MetricsObserver
from predictor.repository import folders as on_disk
from predictor.repository.failures import Failures
from predictor.repository.memory import MemoryEstimate
from predictor.repository.repository import BundleRepository
from predictor.repository.shapes import ShapesInUse
from predictor.repository.watch import Watch
from predictor.settings import NetworkSettings
from predictor.versions import LoadedVersion, Versions

#: How long to wait for a running load when the service stops: Kubernetes gives it 15 s after it has drained.
LOAD_SECONDS = 5.0


@dataclass(frozen=True)
class Loaded:
    """The result of loading: the version to serve, and what the repository needs to know about the load."""

    version: LoadedVersion
    shapes: ShapesInUse
    failures: Failures
    estimate: MemoryEstimate


@dataclass(frozen=True)
class Opened:
    """A predictor that serves, and the repository behind it, which is closed first."""

    predictor: LocalPredictor
    versions: Versions
    repository: BundleRepository
    watch: Watch | None

    async def close_repository(self, seconds: float = LOAD_SECONDS) -> None:
        """Starts no further load, and waits at most `seconds` for a running one.

        The versions in memory serve until the predictor is closed.
        """
        if self.watch is not None:
            await self.watch.close()
        await self.repository.close(seconds)


def load(settings: NetworkSettings) -> Loaded:
    """Finds, checks, loads and warms up the bundle. Takes seconds: not for the event loop's thread.

    If the settings name no version and the highest is broken, the next lower one serves: a version that can't be loaded
    doesn't take the service down, neither while it runs nor when it restarts. Raises BundleError, ConfigError.
    """
    keep_level()
    shapes, failures, estimate = ShapesInUse(), Failures(), MemoryEstimate()
    root = loading.root(settings)
    entry = loading.find(settings)
    below = [] if settings.bundle_version else [each for each in on_disk.versions(root, entry.name) if not each.problem]
    first_error: Exception | None = None
    for candidate in (entry, *(each for each in reversed(below) if each != entry)):
        try:
            return Loaded(loading.load(candidate.open(), settings, shapes), shapes, failures, estimate)
        except ConfigError:
            raise  # no bundle would load
        except Exception as error:
            failures.add(candidate, error)
            first_error = first_error or error
    assert first_error is not None
    if isinstance(first_error, BundleError):
        raise first_error
    raise BundleError(f"{entry.label} could not be loaded: {failures.reason(entry.label)}") from first_error


async def start(loaded: Loaded, settings: NetworkSettings) -> Opened:
    """Puts the scheduler in front of the networks, on the running event loop, and looks for new versions if asked to."""
    versions = Versions(settings.side_by_side, settings.swap_grace_seconds)
    versions.activate(loaded.version)
    scheduler = Scheduler(loading.limits(settings, loaded.version), MetricsObserver())
    predictor = LocalPredictor(versions, scheduler, settings.hang_seconds, settings.max_detection_pixels)
    predictor.on_close(QUEUES.add(predictor.stats))
    repository = BundleRepository(
        loading.root(settings),
        loaded.version.facts.name,
        settings.bundle_version,
        versions,
        partial(loading.load, settings=settings, shapes=loaded.shapes),
        loaded.failures,
        loaded.estimate,
    )
    await repository.index()
    watch = Watch(repository, settings.watch_seconds) if settings.watch_seconds and not repository.pinned else None
    return Opened(predictor, versions, repository, watch)


async def open_predictor(settings: NetworkSettings) -> LocalPredictor:
    """`load` and `start`, for a program without later loads."""
    settings = dataclasses.replace(settings, watch_seconds=0.0, prepare_sizes=False)
    return (await start(await asyncio.to_thread(load, settings), settings)).predictor
