"""One release of the chart, and how to reach it through the gateway."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ppocr import __version__
from tests.cluster.kube import Json, Namespace, Pod, until

CHART = Path(__file__).parents[2] / "charts" / "ppocr"
#: Of the images; `scripts/build_images predictor-next` makes the second, whose bundle is called version 2.
TAG = os.environ.get("PPOCR_TEST_TAG", __version__)
NEXT_TAG = f"{TAG}-next"
READY_SECONDS = 180

#: Small pods, probed often: all of this fits two cores.
VALUES: dict[str, Any] = {
    "transformer": {
        "image": {"tag": TAG},
        "resources": {"requests": {"cpu": "50m", "memory": "200Mi"}, "limits": {"cpu": "4", "memory": "2Gi"}},
        "readinessProbe": {"periodSeconds": 1, "failureThreshold": 30},
    },
    "predictor": {
        "image": {"tag": TAG},
        "resources": {"requests": {"cpu": "100m", "memory": "600Mi"}, "limits": {"cpu": "4", "memory": "3Gi"}},
        "readinessProbe": {"periodSeconds": 1},
    },
}


@dataclass(frozen=True)
class Release:
    """`name` is the release's and, as it contains the chart's, that of its objects."""

    namespace: Namespace
    name: str
    folder: Path

    def upgrade(self, *flags: str, wait: bool = True, **values: Any) -> None:
        """Installs or upgrades to the base values with `values` (each a part of the values file) over them, and waits."""
        self.namespace.helm("upgrade", "--install", self.name, str(CHART), *self.files(values), *flags)
        if wait:
            self.wait()

    def files(self, values: Json) -> tuple[str, ...]:
        """Helm's flags for the base values with `values` over them."""
        base = self.folder / "base.json"
        base.write_text(json.dumps(VALUES))
        own = self.folder / "own.json"
        own.write_text(json.dumps(values))
        return ("--values", str(base), "--values", str(own))

    def generations(self, rendered: str) -> dict[tuple[str, str], int]:
        """(kind, name) → generation of the objects of a rendered chart that have one."""
        objects = [each for each in yaml.safe_load_all(rendered) if each]
        own = [each for each in objects if each["metadata"].get("namespace") in (None, self.namespace.name)]
        found = self.namespace.get(*(f"{each['kind']}/{each['metadata']['name']}" for each in own))["items"]
        return {(each["kind"], each["metadata"]["name"]): each["metadata"].get("generation", 0) for each in found}

    def wait(self) -> None:
        """Until the pods of all tracks are those that the release asks for, and ready."""
        until(READY_SECONDS, self._settled, f"the pods of {self.name}")

    def _settled(self) -> bool:
        services = self.namespace.get("inferenceservices")["items"]
        deployments = {each["metadata"]["name"]: each for each in self.namespace.get("deployments")["items"]}
        for service in services:
            conditions = service.get("status", {}).get("conditions", ())
            if not any(each["type"] == "Ready" and each["status"] == "True" for each in conditions):
                return False
            for part in ("transformer", "predictor"):
                wanted = service["spec"].get(part)
                deployment = deployments.get(f"{service['metadata']['name']}-{part}")
                if wanted and not (deployment and _made_of(deployment, wanted) and _rolled_out(deployment)):
                    return False
        return bool(services)

    def isvc(self, track: str = "stable") -> str:
        return f"{self.name}-{track}"

    def pods(self, part: str, track: str = "stable") -> list[Pod]:
        """Pods that aren't going away, by part and track."""
        selector = f"serving.kserve.io/inferenceservice={self.isvc(track)},component={part}"
        return [pod for pod in self.namespace.pods(selector) if not pod.going]

    @property
    def host(self) -> str:
        return f"{self.name}-{self.namespace.name}.example.com"

    @property
    def grpc_host(self) -> str:
        return f"{self.name}-grpc-{self.namespace.name}.example.com"


def _made_of(deployment: Json, component: Json) -> bool:
    """Whether KServe has carried a change over. Its status doesn't say: observedGeneration may stay behind."""
    pod = deployment["spec"]["template"]
    container, wanted = pod["spec"]["containers"][0], component["containers"][0]
    annotations = component.get("annotations", {})
    scaled = annotations.get("serving.kserve.io/autoscalerClass") != "none"
    return (
        container["image"] == wanted["image"]
        # KServe may add variables of its own; one of ours that is missing is a change, too.
        and all(variable in container["env"] for variable in wanted["env"])
        and sum(variable["name"].startswith("PPOCR_") for variable in container["env"])
        == sum(variable["name"].startswith("PPOCR_") for variable in wanted["env"])
        and container["resources"] == wanted["resources"]
        and pod["spec"].get("nodeSelector") == component.get("nodeSelector")
        and annotations.items() <= pod["metadata"]["annotations"].items()
        and (scaled or deployment["spec"]["replicas"] == component["minReplicas"])
    )


def _rolled_out(deployment: Json) -> bool:
    status, wanted = deployment["status"], deployment["spec"]["replicas"]
    return (
        status.get("observedGeneration") == deployment["metadata"]["generation"]
        and status.get("updatedReplicas", 0) == wanted
        and status.get("readyReplicas", 0) == wanted
        and status.get("replicas", 0) == wanted
    )
