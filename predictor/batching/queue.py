"""The waiting runs, and which of them make the next batch. Not thread-safe: its owner holds a lock.

The order of work:

- Networks late in the pipeline go first, so lines before pages: an image whose detection is done is finished soon and frees its
  memory, instead of waiting behind all detections that arrived meanwhile. Work for an earlier network is passed over for at
  most `patience` seconds.
- For one network, requests are served in the order of their arrival. Within a request, items with the most pixels go first, so
  that several workers on its lines finish at about the same time.
- A share (ppocr_limits/shares.py) for which much more was computed than for another waiting one comes after it.
- While a share that sends in bulk has neighbours, batches have half the size, because a running forward pass can't be
  interrupted, and small requests wait for several of them.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from ppocr_limits.shares import HEAD_START, Line, Shares
from predictor.batching.neighbours import Neighbours
from predictor.batching.requests import Batch, Key, Piece, Request, Run
from predictor.batching.slots import Slot

#: Pixels per second of a network until measured: detection on a CPU with two cores.
USUAL_RATE = 1e7
#: A share with at least this many waiting requests sends in bulk; a single image has one or two.
BULK = 4


@dataclass(eq=False, slots=True)
class _Lane:
    """The waiting requests for the network `name` at position `place` of the bundle's list.

    `served`: when a batch was last taken from it.
    """

    place: int
    name: str
    requests: Line[Request]
    served: float = -math.inf

    @property
    def passed_over_since(self) -> float:
        """Since when others have gone before its first request."""
        return max(self.served, next(iter(self.requests)).arrived)

    def next(self) -> Request:
        request = self.requests.next()
        assert request is not None, "the lane is empty"
        return request


class WaitingQueue:
    """The waiting runs, by key and by request. `budget` returns the current maximum pixels of a batch, `rate` the pixels per
    second of a network, 0 if unknown.
    """

    def __init__(
        self,
        budget: Callable[[Slot], int],
        patience: float,
        powers_of_two: bool = False,
        rate: Callable[[str], float] = lambda name: 0.0,
    ) -> None:
        self._budget = budget
        self._rate = rate
        self._shares = Shares()
        self._neighbours = Neighbours()
        self._patience = patience
        self._powers_of_two = powers_of_two
        self._lanes: dict[tuple[int, str], _Lane] = {}  # the furthest along the pipeline first
        self._runs: dict[Key, OrderedDict[Run, None]] = {}
        #: Waiting work by the network's name.
        self.items: dict[str, int] = {}
        self.pixels: dict[str, int] = {}

    def __bool__(self) -> bool:
        return any(lane.requests for lane in self._lanes.values())

    def add(self, request: Request) -> None:
        name = request.slot.name
        self._lane(request.slot).requests.add(request.share, request, request.arrived)
        runs_of_request = [
            Run(request, index, Key(request.slot, block.shape[1], block.shape[2]), block)
            for index, block in enumerate(request.blocks)
        ]
        runs_of_request.sort(key=self._first_pixels, reverse=True)
        for run in runs_of_request:
            key = run.key
            request.runs[run.index] = run
            runs = self._runs.get(key)
            if runs is None:
                runs = self._runs[key] = OrderedDict()
            runs[run] = None
        self.items[name] += request.items
        self.pixels[name] += request.pixels

    def discard(self, request: Request) -> None:
        """Removes the waiting runs of `request`; those already in a batch are not affected."""
        for run in list(request.runs.values()):
            self._take(run, run.items)

    def oldest(self) -> float | None:
        """The arrival time of the longest waiting request."""
        waiting = (lane.requests for lane in self._lanes.values() if lane.requests)
        return min((next(iter(requests)).arrived for requests in waiting), default=None)

    def clear(self) -> list[Request]:
        """Removes everything; returns the requests that are not completely in batches."""
        requests = [request for lane in self._lanes.values() for request in lane.requests]
        for request in requests:
            self.discard(request)
        return requests

    def next_key(self, now: float) -> tuple[Key, float] | None:
        """The key of the next batch, and the arrival time of its first request."""
        lane = self._next_lane(now)
        if lane is None:
            return None
        request = lane.next()
        return next(iter(request.runs.values())).key, request.arrived

    def fills(self, key: Key) -> bool:
        """Whether the waiting items of `key` would fill a batch."""
        room = self._room(key)
        for run in self._runs[key]:
            room -= run.items
            if room <= 0:
                return True
        return False

    def take(self, key: Key, now: float) -> tuple[Batch | None, list[Request]]:
        """The next batch of `key`, and the requests that were dropped because their deadline has passed."""
        room, pieces, expired = self._room(key), [], []
        oldest = now
        self._put_first(key)
        if self._powers_of_two:
            room = self._round(key, max(1, room // 2) if self._bulk(now) else room)
        while room and (runs := self._runs.get(key)):
            run = next(iter(runs))
            if (gone := run.request.future.done()) or run.request.expired(now):
                self.discard(run.request)
                if not gone:
                    expired.append(run.request)
                continue
            count = min(room, run.items)
            pieces.append(Piece(run, run.start, run.start + count))
            oldest = min(oldest, run.request.arrived)
            room -= count
            self._count(run, count)
            self._neighbours.served(run.request.share, now)
            self._take(run, count)
        if not pieces:
            return None, expired
        self._lane(key.slot).served = now
        return Batch(key, pieces, sum(piece.stop - piece.start for piece in pieces), oldest), expired

    def _lane(self, slot: Slot) -> _Lane:
        lane = self._lanes.get((slot.place, slot.name))
        if lane is None:
            lane = _Lane(slot.place, slot.name, Line(self._shares))
            lanes = sorted((*self._lanes.values(), lane), key=lambda lane: (-lane.place, lane.name))
            self._lanes = {(each.place, each.name): each for each in lanes}
            self.items.setdefault(slot.name, 0)
            self.pixels.setdefault(slot.name, 0)
        return lane

    def _next_lane(self, now: float) -> _Lane | None:
        waiting = [lane for lane in self._lanes.values() if lane.requests]
        if not waiting:
            return None
        furthest, *others = waiting
        impatient = [lane for lane in others if now - lane.passed_over_since >= self._patience]
        if impatient:
            return min(impatient, key=lambda lane: lane.passed_over_since)
        served = self._shares.served(furthest.next().share)
        behind = [lane for lane in others if self._shares.served(lane.next().share) + HEAD_START < served]
        return behind[0] if behind else furthest

    def _put_first(self, key: Key) -> None:
        """Moves the request whose turn it is to the front; others of `key` follow in the order of their arrival."""
        requests = self._lane(key.slot).requests
        request = requests.next() if requests else None
        run = next(iter(request.runs.values())) if request is not None else None
        if run is not None and run.key == key:
            self._runs[key].move_to_end(run, last=False)

    def _bulk(self, now: float) -> bool:
        """Whether a share sends in bulk while others wait. Not used on a GPU, where batches are always filled."""
        most = [lane.requests.most() for lane in self._lanes.values() if lane.requests]
        return any(count >= BULK and self._neighbours.beside(share, now) for share, count in most)

    def _count(self, run: Run, count: int) -> None:
        """Adds the cost of `count` items of `run` to the account of its share."""
        name, pixels = run.key.slot.name, count * run.key.height * run.key.width
        waiting = sum(lane.requests.shares for lane in self._lanes.values())
        self._shares.serve(run.request.share, pixels / (self._rate(name) or USUAL_RATE), waiting)

    def _first_pixels(self, run: Run) -> int:
        """The pixels of the batch that `run` would make alone."""
        return min(self._room(run.key), run.items) * run.key.height * run.key.width

    def _room(self, key: Key) -> int:
        fitting = self._budget(key.slot) // (key.height * key.width)
        return max(1, min(key.slot.batch_items, fitting))

    def _round(self, key: Key, room: int) -> int:
        """The largest power of two allowed by `room` and the waiting items of `key`."""
        waiting = 0
        for run in self._runs[key]:
            waiting += run.items
            if waiting >= room:
                break
        return 1 << (min(room, waiting).bit_length() - 1)

    def _take(self, run: Run, count: int) -> None:
        run.start += count
        slot = run.key.slot
        self.items[slot.name] -= count
        self.pixels[slot.name] -= count * run.key.height * run.key.width
        if run.items:
            return
        del self._runs[run.key][run]
        if not self._runs[run.key]:
            del self._runs[run.key]
        del run.request.runs[run.index]
        if not run.request.runs:
            self._lane(slot).requests.remove(run.request.share, run.request)
