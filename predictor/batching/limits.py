"""Limits of the scheduler, and how it forms batches."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits of the scheduler.

    `max_queue_pixels` limits the queue of each network, so a queue full of pages never refuses the lines of a page whose
    detection was computed. `batch_wait`: how many seconds an incomplete batch waits for more items.
    `workers`: number of forward passes at the same time. `prefetch`: one more thread prepares a batch meanwhile.
    `patience`: for how many seconds later networks may go before waiting work of an earlier network.
    `powers_of_two`: only batches of 1, 2, 4, 8 … items. Engines keep kernels for every shape that they have seen; with a
    quarter of the shapes these need less memory, and are more often prepared in advance.
    """

    max_queue_pixels: int = 64_000_000
    batch_wait: float = 0.0
    workers: int = 1
    prefetch: bool = False
    patience: float = 1.0
    powers_of_two: bool = False
