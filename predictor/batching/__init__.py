"""Batches across requests: a bounded queue of pixels in front of the networks.

`Scheduler.submit` takes blocks of equally sized items for the network of a `Slot` and answers them together, in order.
Items of equal size share a batch, whoever sent them. Nothing is padded, so no answer depends on other items in the batch.
"""

from predictor.batching.limits import Limits
from predictor.batching.observer import BatchObserver, DropReason, SilentObserver, Stats
from predictor.batching.requests import Outputs
from predictor.batching.scheduler import Scheduler
from predictor.batching.slots import Network, NetworkSlot, Slot

__all__ = [
    "BatchObserver",
    "DropReason",
    "Limits",
    "Network",
    "NetworkSlot",
    "Outputs",
    "Scheduler",
    "SilentObserver",
    "Slot",
    "Stats",
]
