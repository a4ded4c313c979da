"""Sources of request counts: the pods, through the API server, or a Prometheus."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from typing import Protocol

import httpx

from ppocr_api.errors import PpocrError, Unavailable
from ppocr_rollout.cluster import Cluster, Pod
from ppocr_rollout.counts import Counts
from ppocr_rollout.exposition import BUCKETS, REQUESTS, Sample, counts, from_samples

_SECONDS = 20.0


def process(pod: Pod) -> Hashable:
    """What counts from 0: a pod, and again after each restart of a container in it."""
    return pod.uid, pod.restarts


class Source(Protocol):
    """Current counts of the pods that answer clients; a pod that can't be reached is left out."""

    def read(self, pods: Sequence[Pod]) -> Mapping[Hashable, Counts]: ...


class Pods:
    """Asks each pod through the API server: needs no Prometheus, and `get` on `pods/proxy`."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def read(self, pods: Sequence[Pod]) -> Mapping[Hashable, Counts]:
        found: dict[Hashable, Counts] = {}
        errors: list[PpocrError] = []
        asked = [pod for pod in pods if pod.front is not None and pod.running]
        for pod in asked:
            try:
                found[process(pod)] = counts(self._cluster.metrics(pod))
            except PpocrError as error:
                errors.append(error)
        # One of several may be starting or crashing, and its restarts are seen elsewhere; all of them are a fault to say.
        if errors and len(errors) == len(asked):
            raise errors[0]
        return found


class Prometheus:
    """Asks a Prometheus whose series have the labels `namespace` and `pod`; it knows what its last scrape has seen."""

    def __init__(self, url: str, namespace: str) -> None:
        self._url = url.rstrip("/")
        self._namespace = namespace

    def read(self, pods: Sequence[Pod]) -> Mapping[Hashable, Counts]:
        fronts = {pod.name: pod for pod in pods if pod.front is not None}
        if not fronts:
            return {}
        names = "|".join(re.escape(name) for name in fronts).replace("\\", "\\\\")
        chosen = f'{{namespace="{self._namespace}",pod=~"{names}"}}'
        try:
            answer = httpx.post(
                f"{self._url}/api/v1/query",
                data={"query": f"{REQUESTS}{chosen} or {BUCKETS}{chosen}"},
                timeout=_SECONDS,
            )
            series = answer.raise_for_status().json()["data"]["result"]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise Unavailable(f"Prometheus at {self._url} gave no answer: {type(error).__name__}") from error
        samples: dict[str, list[Sample]] = {}
        for each in series:
            labels = each["metric"]
            samples.setdefault(labels["pod"], []).append((labels["__name__"], labels, float(each["value"][1])))
        return {process(fronts[name]): from_samples(of_pod) for name, of_pod in samples.items()}
