"""The waiting runs, and which of them make the next batch. Not thread-safe: its owner holds a lock.

Order: lines before detections, inside a part first come, first served by request, and inside a request the most pixels
first: where several workers share its lines, they come to the end at about the same time. What was begun is finished first:
an image whose detection is done leaves soon and frees its memory, instead of waiting behind all detections that came
meanwhile. A detection that waits is passed over for at most `patience` seconds, whatever lines arrive.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable

from ppocr.contract import Part
from predictor.batching.budgets import PARTS
from predictor.batching.requests import Batch, Key, Piece, Request, Run
from predictor.batching.slots import Slot


class WaitingQueue:
    """Runs that wait, by key and by request. `budget` tells how many pixels a batch of a network may have now."""

    def __init__(self, budget: Callable[[Slot], int], patience: float, powers_of_two: bool = False) -> None:
        self._budget = budget
        self._patience = patience
        self._powers_of_two = powers_of_two
        # OrderedDicts serve as queues from whose middle a cancelled request can be taken in constant time.
        self._requests: dict[Part, OrderedDict[Request, None]] = {part: OrderedDict() for part in PARTS}
        self._runs: dict[Key, OrderedDict[Run, None]] = {}
        self._last_det = -math.inf
        self.items: dict[Part, int] = dict.fromkeys(PARTS, 0)
        self.pixels: dict[Part, int] = dict.fromkeys(PARTS, 0)

    def __bool__(self) -> bool:
        return any(self._requests.values())

    def add(self, request: Request) -> None:
        part = request.slot.part
        self._requests[part][request] = None
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
        self.items[part] += request.items
        self.pixels[part] += request.pixels

    def discard(self, request: Request) -> None:
        """Takes out what still waits of `request`; what was already given to a batch is not touched."""
        for run in list(request.runs.values()):
            self._take(run, run.items)

    def oldest(self) -> float | None:
        """When the request arrived that waits longest."""
        return min((next(iter(requests)).arrived for requests in self._requests.values() if requests), default=None)

    def clear(self) -> list[Request]:
        """Takes out everything; returns the requests that had not yet been given to batches as a whole."""
        requests = [request for part in PARTS for request in self._requests[part]]
        for request in requests:
            self.discard(request)
        return requests

    def next_key(self, now: float) -> tuple[Key, float] | None:
        """The key whose batch is due, and when its first request arrived."""
        part = self._next_part(now)
        if part is None:
            return None
        request = next(iter(self._requests[part]))
        return next(iter(request.runs.values())).key, request.arrived

    def fills(self, key: Key) -> bool:
        """Whether the items of `key` that wait would fill a batch."""
        room = self._room(key)
        for run in self._runs[key]:
            room -= run.items
            if room <= 0:
                return True
        return False

    def take(self, key: Key, now: float) -> tuple[Batch | None, list[Request]]:
        """The next batch of `key`, and the requests that were dropped as they had no time left."""
        room, pieces, expired = self._room(key), [], []
        if self._powers_of_two:
            room = self._round(key, room)
        oldest = now
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
            self._take(run, count)
        if not pieces:
            return None, expired
        if key.slot.part == "det":
            self._last_det = now
        return Batch(key, pieces, sum(piece.stop - piece.start for piece in pieces), oldest), expired

    def _next_part(self, now: float) -> Part | None:
        det, rec = self._requests["det"], self._requests["rec"]
        if not rec:
            return "det" if det else None
        if det and now - max(self._last_det, next(iter(det)).arrived) >= self._patience:
            return "det"
        return "rec"

    def _first_pixels(self, run: Run) -> int:
        """Of the batch that `run` makes for itself."""
        return min(self._room(run.key), run.items) * run.key.height * run.key.width

    def _room(self, key: Key) -> int:
        fitting = self._budget(key.slot) // (key.height * key.width)
        return max(1, min(key.slot.batch_items, fitting))

    def _round(self, key: Key, room: int) -> int:
        """The largest power of two that `room` and the items of `key` that wait allow."""
        waiting = 0
        for run in self._runs[key]:
            waiting += run.items
            if waiting >= room:
                break
        return 1 << (min(room, waiting).bit_length() - 1)

    def _take(self, run: Run, count: int) -> None:
        run.start += count
        part = run.key.slot.part
        self.items[part] -= count
        self.pixels[part] -= count * run.key.height * run.key.width
        if run.items:
            return
        del self._runs[run.key][run]
        if not self._runs[run.key]:
            del self._runs[run.key]
        del run.request.runs[run.index]
        if not run.request.runs:
            del self._requests[part][run.request]
