"""Reports of the scheduler: events for an observer, and a snapshot for probes and autoscalers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

#: Why a request left without being computed to its end.
DropReason = Literal["cancelled", "deadline", "overloaded", "closed"]


class BatchObserver(Protocol):
    """Called on the event loop's thread, once per batch and once per dropped request; must be quick and must not raise."""

    def on_batch(self, network: str, items: int, pixels: int, seconds_queue: float, seconds_infer: float) -> None:
        """A batch was computed: its oldest item waited `seconds_queue`, the network took `seconds_infer`."""

    def on_drop(self, reason: DropReason) -> None:
        """A request was refused, cancelled or ran out of time."""


class SilentObserver:
    """An observer that does nothing."""

    def on_batch(self, network: str, items: int, pixels: int, seconds_queue: float, seconds_infer: float) -> None:
        pass

    def on_drop(self, reason: DropReason) -> None:
        pass


@dataclass(frozen=True)
class Stats:
    """A snapshot of the scheduler.

    `queue_items` and `queue_pixels` count waiting work by the name of the network; networks that never had work are absent.
    `oldest_seconds` is how long the oldest request has waited. `running` is the number of forward passes in progress, the
    longest for `running_seconds`: if that only grows, the pass hangs. `batches`, `items` and `pixels` count what was computed
    since the start. `pixels_per_second` is a moving average by network, over the time in which it ran.
    """

    queue_items: Mapping[str, int]
    queue_pixels: Mapping[str, int]
    oldest_seconds: float
    running: int
    running_seconds: float
    batches: int
    items: int
    pixels: int
    pixels_per_second: Mapping[str, float]
