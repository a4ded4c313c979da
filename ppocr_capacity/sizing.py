"""Computes, from the capacity of some pods, how many pods a rate needs, and the autoscaling targets."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ppocr_capacity.usage import Usage


@dataclass(frozen=True)
class Sizing:
    """For a wanted rate: pods of a part, and the targets of its HPA.

    `images_per_second` are those of one pod at the target. `cpu_percent` is of the pod's CPU request, `queue_pixels` what
    may wait for a pod; None if the metrics don't say.
    """

    part: str
    pods: int
    images_per_second: float
    cpu_percent: int | None
    queue_pixels: int | None


def sizing(rate: float, held: float, headroom: float, usage: Usage) -> Sizing:
    """`held` images/s are what `usage.pods` pods hold; of that the share `headroom` stays free for peaks and lost pods."""
    each = held * (1 - headroom) / usage.pods
    cpu = None
    if usage.cores is not None and usage.request:
        cpu = max(1, round(100 * usage.cores * (1 - headroom) / usage.pods / usage.request))
    queue = None if usage.queue_pixels is None else max(1, round(usage.queue_pixels * (1 - headroom) / usage.pods))
    return Sizing(usage.part, max(1, math.ceil(round(rate / each, 6))), each, cpu, queue)
