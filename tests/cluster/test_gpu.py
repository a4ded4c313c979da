"""The GPU's values on nodes that claim GPUs: scheduling alone, with the CPU's image; there is no GPU behind them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cluster.kube import Pod, until
from tests.cluster.release import CHART, Release

GPU_VALUES = str(CHART / "values-gpu.yaml")


@pytest.fixture(autouse=True)
def node_with_gpus(release: Release) -> None:
    nodes = release.namespace.get("nodes")["items"]
    if not any(int(node["status"]["allocatable"].get("nvidia.com/gpu", "0")) for node in nodes):
        pytest.skip("no node of this cluster claims nvidia.com/gpu")


def test_it_stays_pending_without_the_label(release: Release, say: Callable[[str], None]) -> None:
    selector = "predictor.gpu.nodeSelector.nvidia\\.com/gpu\\.product=NONE-SUCH"
    flags = ("--values", GPU_VALUES, "--set", "predictor.settings.device=auto", "--set", selector)
    before = release.pods("predictor")
    release.upgrade(*flags, wait=False)

    def pending() -> tuple[Pod, str] | None:
        for pod in release.pods("predictor"):
            for condition in pod.raw["status"].get("conditions", ()):
                if condition.get("reason") == "Unschedulable":
                    return pod, condition["message"]
        return None

    pod, reason = until(60, pending, "a pod that can't be scheduled")
    say(f"{pod.name} is pending: {reason}")
    assert "node affinity/selector" in reason
    assert {each.name for each in before} <= {each.name for each in release.pods("predictor") if each.ready}, (
        "the old pod goes on serving"
    )


def test_a_predictor_gets_a_gpu(release: Release, say: Callable[[str], None]) -> None:
    release.upgrade("--values", GPU_VALUES, "--set", "predictor.settings.device=auto")
    (pod,) = release.pods("predictor")
    spec = pod.raw["spec"]
    say(
        f"{pod.name} on {pod.node}: limits {spec['containers'][0]['resources']['limits']}, selector {spec['nodeSelector']}"
    )
    assert spec["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert spec["nodeSelector"] == {"nvidia.com/gpu.present": "true"}
    assert any(toleration.get("key") == "nvidia.com/gpu" for toleration in spec["tolerations"])
    node = release.namespace.get(f"node/{pod.node}")
    assert node["metadata"]["labels"]["nvidia.com/gpu.present"] == "true"
