"""Limits of the scheduler, and how it forms batches."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits of the scheduler.

    `max_queue_pixels` bounds what waits for each network: a queue full of pages never refuses the lines of a page whose
    detection was computed. `batch_wait` is how many seconds a batch that isn't full waits for company.
    `workers` forwards run at a time. `patience` is how many seconds what is further along the pipeline may pass over
    what waits for an earlier network.
    `powers_of_two` makes batches of 1, 2, 4, 8 … items alone: engines keep kernels for every shape that they have seen, and
    with a fourth of the shapes they stay within their memory, and are prepared more often.
    """

    max_queue_pixels: int = 64_000_000
    batch_wait: float = 0.0
    workers: int = 1
    prefetch: bool = False
    patience: float = 1.0
    powers_of_two: bool = False
