"""Versions that could not be loaded: remembered with the reason, and with the state of their files at that time."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from ppocr import telemetry
from ppocr_api.errors import PpocrError
from predictor.repository.folders import Entry, Stamp

log = logging.getLogger("ppocr.predictor")


@dataclass(frozen=True)
class Failure:
    """`reason` is a sentence that clients may see; `stamp` is the state of the files at that time."""

    reason: str
    stamp: Stamp


class Failures:
    """The last failure of each version, by its label. May be used from any thread, one load at a time."""

    def __init__(self) -> None:
        self._by_label: dict[str, Failure] = {}

    def add(self, entry: Entry, error: Exception) -> str:
        """Logs and counts the failure; returns its reason."""
        if isinstance(error, PpocrError):
            # Messages of engines contain the path of the file that they could not read.
            reason = error.message.replace(f"{entry.path}/", "").replace(str(entry.path), entry.label)
            log.error("%s could not be loaded: %s", entry.label, error.message)
        elif isinstance(error, MemoryError):
            reason = "there was not enough memory for it"
            log.error("%s could not be loaded: %s", entry.label, reason)
        else:
            reason = f"the engine failed on it ({type(error).__name__}); the log says more"
            log.error("%s could not be loaded", entry.label, exc_info=error)
        telemetry.BUNDLE_LOAD_FAILURES.inc()
        self._by_label[entry.label] = Failure(reason, entry.stamp())
        return reason

    def forget(self, entry: Entry) -> None:
        self._by_label.pop(entry.label, None)

    def reason(self, label: str) -> str:
        """Why the version couldn't be loaded; empty if it could, or was never tried."""
        failure = self._by_label.get(label)
        return failure.reason if failure else ""

    def is_known(self, entry: Entry) -> bool:
        """Whether this version failed with its files as they are now: trying again would change nothing."""
        failure = self._by_label.get(entry.label)
        return failure is not None and failure.stamp == entry.stamp()
