"""Scaling: the transformer on CPU, the predictor on its queue, and how soon a new predictor carries its share."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator

import pytest

from tests.cluster import images, load
from tests.cluster.kube import nightly, run, until
from tests.cluster.load import Gateway
from tests.cluster.release import Release

pytestmark = nightly
Say = Callable[[str], None]

#: Down as soon as the load is gone, where the chart waits for minutes.
AT_ONCE = {
    "scaleUp": {"stabilizationWindowSeconds": 0, "policies": [{"type": "Pods", "value": 2, "periodSeconds": 10}]},
    "scaleDown": {"stabilizationWindowSeconds": 10, "policies": [{"type": "Pods", "value": 2, "periodSeconds": 10}]},
}


@contextlib.contextmanager
def pressure(gateway: Gateway, clients: int, image: bytes) -> Iterator[load.Load]:
    """As many requests as `clients` get answered."""
    with load.steady(gateway, per_second=1000, clients=clients, image=image) as sent:
        yield sent


def inferences(release: Release) -> dict[str, float]:
    """Calls that each predictor pod has answered."""
    pattern = re.compile(r'^ppocr_requests_total\{code="OK",route="grpc:ModelInfer"\} (\S+)', re.MULTILINE)
    counts = {}
    for pod in release.pods("predictor"):
        found = pattern.search(release.namespace.proxy(pod, "/metrics"))
        counts[pod.name] = float(found[1]) if found else 0.0
    return counts


def test_a_new_predictor_carries_its_share(release: Release, gateway: Gateway, say: Say) -> None:
    with load.steady(gateway, per_second=10) as sent:
        until(30, lambda: len(sent.answers) > 20, "answers")
        release.upgrade(predictor={"replicas": 3})
        ready = time.monotonic()
        spread: dict[str, float] = {}

        def even() -> bool:
            before, seen = inferences(release), len(sent.answers)
            until(30, lambda: len(sent.answers) > seen + 60, "answers")
            spread.update({name: count - before[name] for name, count in inferences(release).items()})
            share = sum(spread.values()) / 3
            return all(abs(count - share) <= 0.2 * share for count in spread.values())

        until(60, even, "an even spread")
    say(
        f"scaled from 1 to 3: even {time.monotonic() - ready:.0f} s after they were ready, calls {list(spread.values())}; "
        f"{sent.summary()}"
    )
    assert load.problems(sent) == {}


def test_the_transformer_scales_on_cpu(release: Release, gateway: Gateway, say: Say) -> None:
    scaling = {"kind": "hpa", "minReplicas": 1, "maxReplicas": 3, "targetCpuUtilization": 100, "behavior": AT_ONCE}
    release.upgrade(transformer={"autoscaling": scaling, "resources": {"requests": {"cpu": "40m"}}})
    began = time.monotonic()
    with pressure(gateway, 8, images.line()) as sent:
        until(120, lambda: len([pod for pod in release.pods("transformer") if pod.ready]) == 3, "3 transformers")
        up = time.monotonic() - began
        seen = len(sent.answers)
        until(30, lambda: len(sent.answers) > seen + 50, "answers")
    began = time.monotonic()
    until(240, lambda: len(release.pods("transformer")) == 1, "1 transformer")
    say(f"transformer 1 to 3 in {up:.0f} s, back to 1 in {time.monotonic() - began:.0f} s; {sent.summary()}")
    assert load.problems(sent) == {}


def test_the_predictor_scales_on_its_queue(release: Release, gateway: Gateway, say: Say) -> None:
    try:
        run("kubectl", "get", "--raw", "/apis/custom.metrics.k8s.io/v1beta1")
    except AssertionError:
        pytest.skip("this cluster serves no custom metrics: prometheus-adapter is missing")
    scaling = {
        "kind": "hpa",
        "metric": "queuePixels",
        "minReplicas": 1,
        "maxReplicas": 2,
        "targetQueuePixels": 500_000,
        "behavior": AT_ONCE,
    }
    release.upgrade(predictor={"autoscaling": scaling})
    began = time.monotonic()
    with pressure(gateway, 12, images.RECEIPT.read_bytes()) as sent:
        until(180, lambda: len([pod for pod in release.pods("predictor") if pod.ready]) == 2, "2 predictors")
        up = time.monotonic() - began
        metric = until(60, lambda: queued(release), "the metric that it scales on")
    say(f"predictor 1 to 2 in {up:.0f} s at ppocr_queue_pixels {metric} a pod; {sent.summary()}")
    assert load.problems(sent) == {}
    began = time.monotonic()
    until(240, lambda: len(release.pods("predictor")) == 1, "1 predictor")
    say(f"back to 1 in {time.monotonic() - began:.0f} s")


def queued(release: Release) -> str:
    """Pixels that wait in a predictor on average, as the autoscaler last read them; empty where it has no figure yet."""
    status = release.namespace.get(f"hpa/{release.isvc()}-predictor-scaler")["status"]
    found = [each["pods"] for each in status.get("currentMetrics") or () if "pods" in each]
    return str(found[0]["current"]["averageValue"]) if found else ""
