"""The rollout loop: set a weight, watch both tracks, then continue or roll back."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event

from ppocr_api.errors import PpocrError, RetryableError
from ppocr_rollout.cluster import Cluster, Pod
from ppocr_rollout.counts import Counts, Window
from ppocr_rollout.decision import Limits, fault, lost
from ppocr_rollout.routes import CANARY, STABLE, weights
from ppocr_rollout.sources import Source, process
from ppocr_rollout.table import Step, Table

#: Seconds in which a gateway must have taken a route's new weights.
_ACCEPT_SECONDS = 60.0
#: Looks in a row that may fail for a passing reason, such as an API server that is being replaced.
_MISSES = 3
#: How often, and after how many seconds, the weight is tried to be taken back if the API server doesn't answer.
_TRIES, _PAUSE = 10, 3.0


@dataclass(frozen=True)
class Plan:
    """Weights in percent, one after the other, each held for `hold` seconds, and up to `max_hold` where requests are few."""

    steps: tuple[int, ...]
    hold: float
    max_hold: float
    interval: float
    limits: Limits


class Interrupted(Exception):
    """The rollout was interrupted."""


class Rollout:
    """One rollout of a release. `stop` ends it, and takes the weight back."""

    def __init__(self, cluster: Cluster, source: Source, plan: Plan, table: Table, stop: Event) -> None:
        """Raises PpocrError if the release has no two tracks with a route and ready pods, or its routes may not be changed."""
        self._cluster, self._source, self._plan, self._table, self._stop = cluster, source, plan, table, stop
        self._tracks = cluster.tracks()
        self.routes = cluster.routes(self._tracks)
        self._windows = {track: Window() for track in self._tracks}
        self._restarts = {pod.uid: pod.restarts for track in self._tracks for pod in self._pods(track)}
        self._known = frozenset(self._restarts)
        self._baseline: Counts | None = None
        if (reason := self._look()) is not None:
            raise PpocrError(f"the canary can't be rolled out: {reason}")
        for route in self.routes:
            cluster.set_weight(route, route.weight, only_try=True)

    def run(self) -> bool:
        """Whether the canary has come through all steps; if not, it gets no requests any more.

        Raises PpocrError when the cluster fails, after the weight was taken back, or with how to do that by hand.
        """
        self._table.head()
        failure: PpocrError | None = None
        try:
            reason = self._through_all_steps()
        except Interrupted:
            reason = "interrupted"
        except PpocrError as error:
            reason, failure = str(error), error
        if reason is None:
            return True
        self._take_back(reason)
        if failure is not None:
            raise failure
        return False

    def ready(self) -> dict[str, tuple[int, int]]:
        """Track → (pods that are ready, pods), of both parts."""
        found = {track: self._pods(track) for track in self._tracks}
        return {track: (sum(pod.ready for pod in pods), len(pods)) for track, pods in found.items()}

    def _through_all_steps(self) -> str | None:
        """Why a step failed; None if none did."""
        for weight in self._plan.steps:
            self._set(weight)
            step = self._held(weight)
            self._table.step(step)
            if step.fault is not None:
                return step.fault
        return None

    def _held(self, weight: int) -> Step:
        """Watches one weight until it can be judged."""
        plan, began, misses = self._plan, time.monotonic(), 0
        self._windows = {track: window.next() for track, window in self._windows.items()}
        while True:
            self._wait(plan.interval)
            try:
                reason, misses = self._look(), 0
            except RetryableError:
                reason, misses = None, misses + 1
                if misses > _MISSES:
                    raise
            stable, canary = self._windows[STABLE].counts, self._windows[CANARY].counts
            took = time.monotonic() - began
            reason = reason or lost(canary, plan.limits)
            enough = canary.total >= plan.limits.min_requests
            over = took >= plan.hold and (enough or took >= plan.max_hold)
            if over and reason is None:
                if stable.total >= plan.limits.min_requests:
                    self._baseline = stable
                reason = fault(canary, self._baseline, plan.limits)
            step = Step(weight, took, stable, canary, reason)
            if over or reason is not None:
                return step
            self._table.running(step, plan.hold)

    def _look(self) -> str | None:
        """Adds what the pods have counted to the windows, and says what is wrong with the canary's."""
        for track, window in self._windows.items():
            pods = self._pods(track)
            if track == CANARY and (reason := self._broken(pods)) is not None:
                return reason
            born = frozenset(process(pod) for pod in pods if pod.uid not in self._known)
            window.add(self._source.read(pods), born)
        return None

    def _broken(self, pods: Sequence[Pod]) -> str | None:
        """The gateway answers for pods that are away, and no metric of theirs says so."""
        if not any(pod.ready for pod in pods if pod.front is not None):
            return "none of its pods is ready"
        for pod in pods:
            if pod.restarts > self._restarts.setdefault(pod.uid, 0):
                return f"a container of {pod.name} was restarted"
        return None

    def _pods(self, track: str) -> list[Pod]:
        return self._cluster.pods(track)

    def _set(self, weight: int) -> None:
        """Changes all routes, and waits until the gateway has taken them."""
        for route in self.routes:
            self._cluster.set_weight(route, weight)
        deadline = time.monotonic() + _ACCEPT_SECONDS
        while True:
            routes = self._cluster.routes(self._tracks)
            if all(route.current for route in routes):
                refused = [f"{route.plural} {route.name}: {route.refused}" for route in routes if route.refused]
                if refused:
                    raise PpocrError(f"the gateway refuses {'; '.join(refused)}")
                return
            if time.monotonic() >= deadline:
                raise PpocrError(f"the gateway hasn't taken the weights within {_ACCEPT_SECONDS:.0f} s")
            self._wait(0.5)

    def _wait(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise Interrupted

    def _take_back(self, reason: str) -> None:
        """Sends everything to the stable track, again and again if the API server doesn't answer."""
        for attempt in range(_TRIES):
            try:
                for route in self.routes:
                    self._cluster.set_weight(route, 0)
            except PpocrError as error:
                if attempt == _TRIES - 1 or not isinstance(error, RetryableError):
                    raise PpocrError(
                        f"{reason}; the weight could not be taken back ({error}): {self._by_hand()}"
                    ) from error
                time.sleep(_PAUSE)
            else:
                self._table.say(f"taken back to 0 %: {reason}")
                return

    def _by_hand(self) -> str:
        """The commands for somebody who reaches the cluster again."""
        return "; ".join(
            f"kubectl -n {self._cluster.namespace} patch {route.plural} {route.name} --type=json "
            f"-p '{json.dumps(weights(route, 0))}'"
            for route in self.routes
        )
