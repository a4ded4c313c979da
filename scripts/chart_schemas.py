#!/usr/bin/env python3
"""Makes tests/charts/schemas/*.json.xz, the schemas that rendered manifests are checked against without a network:
`scripts/chart_schemas.py` (needs `go`, whose modules hold what they are made of; SOURCES names them).

They are strict: a field that isn't in a schema is an error. Descriptions are left out. A file maps the path that kubeconform
asks for to a schema.
"""

from __future__ import annotations

import json
import lzma
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

OUT = Path(__file__).parent.parent / "tests" / "charts" / "schemas"
#: Module and version → files in it.
KUBERNETES = {
    f"k8s.io/kubernetes@{version}": "api/openapi-spec/swagger.json"
    for version in ("v1.29.15", "v1.30.14", "v1.31.14", "v1.32.10", "v1.33.6", "v1.34.2")
}
EXTENSIONS = {
    "github.com/kserve/kserve@v0.20.0": (
        "config/crd/full/serving.kserve.io_inferenceservices.yaml",
        "config/crd/full/serving.kserve.io_servingruntimes.yaml",
        "config/crd/full/serving.kserve.io_clusterservingruntimes.yaml",
        "config/crd/full/clusterstoragecontainer/serving.kserve.io_clusterstoragecontainers.yaml",
    ),
    "sigs.k8s.io/gateway-api@v1.4.1": (
        "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",
        "config/crd/standard/gateway.networking.k8s.io_grpcroutes.yaml",
    ),
    "github.com/envoyproxy/gateway@v1.8.1": (
        "charts/gateway-helm/charts/crds/crds/generated/gateway.envoyproxy.io_backendtrafficpolicies.yaml",
        "charts/gateway-helm/charts/crds/crds/generated/gateway.envoyproxy.io_clienttrafficpolicies.yaml",
        "charts/gateway-helm/charts/crds/crds/generated/gateway.envoyproxy.io_securitypolicies.yaml",
    ),
    "github.com/kedacore/keda/v2@v2.17.2": ("config/crd/bases/keda.sh_scaledobjects.yaml",),
    "github.com/prometheus-operator/prometheus-operator@v0.85.0": (
        "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",
        "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
    ),
}
#: Kinds of Kubernetes itself that the chart has, as kubeconform writes them.
KINDS = {
    "serviceaccount-v1": "io.k8s.api.core.v1.ServiceAccount",
    "service-v1": "io.k8s.api.core.v1.Service",
    "configmap-v1": "io.k8s.api.core.v1.ConfigMap",
    "pod-v1": "io.k8s.api.core.v1.Pod",
    "horizontalpodautoscaler-autoscaling-v2": "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler",
    "poddisruptionbudget-policy-v1": "io.k8s.api.policy.v1.PodDisruptionBudget",
    "job-batch-v1": "io.k8s.api.batch.v1.Job",
    "deployment-apps-v1": "io.k8s.api.apps.v1.Deployment",
    "ingress-networking-v1": "io.k8s.api.networking.v1.Ingress",
    "persistentvolumeclaim-v1": "io.k8s.api.core.v1.PersistentVolumeClaim",
    "role-rbac-v1": "io.k8s.api.rbac.v1.Role",
    "rolebinding-rbac-v1": "io.k8s.api.rbac.v1.RoleBinding",
    "networkpolicy-networking-v1": "io.k8s.api.networking.v1.NetworkPolicy",
}
STRINGS = {"type": "object", "additionalProperties": {"type": "string"}}
METADATA = {
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "namespace": {"type": "string"},
        "labels": STRINGS,
        "annotations": STRINGS,
    },
}


def module(name: str) -> Path:
    """The folder of a Go module."""
    done = subprocess.run(["go", "mod", "download", "-json", name], capture_output=True, text=True, check=True, cwd="/")
    return Path(json.loads(done.stdout)["Dir"])


def kubernetes() -> dict[str, Any]:
    """Path → schema, for each version: one file of definitions, and one per kind that refers to it."""
    files: dict[str, Any] = {}
    for name, file in KUBERNETES.items():
        folder = name.split("@")[1].rsplit(".", 1)[0] + ".0"
        definitions = json.loads((module(name) / file).read_text())["definitions"]
        needed = dict.fromkeys(KINDS.values())
        for key in iter(needed_by(definitions, list(needed))):
            needed[key] = None
        files[f"{folder}/definitions.json"] = {"definitions": {key: strict(definitions[key]) for key in sorted(needed)}}
        for kind, key in KINDS.items():
            files[f"{folder}/{kind}.json"] = {"$ref": f"definitions.json#/definitions/{key}"}
    return files


def needed_by(definitions: dict[str, Any], keys: list[str]) -> Iterator[str]:
    """All definitions that `keys` refer to, and those that these refer to."""
    seen: set[str] = set()
    while keys:
        key = keys.pop()
        if key in seen:
            continue
        seen.add(key)
        yield key
        keys += [part.split('"')[0] for part in json.dumps(definitions[key]).split("#/definitions/")[1:]]


def extensions() -> dict[str, Any]:
    """Path → schema, for the resources that are defined on a cluster."""
    files: dict[str, Any] = {}
    for name, paths in EXTENSIONS.items():
        folder = module(name)
        for path in paths:
            crd = yaml.safe_load((folder / path).read_text())["spec"]
            for version in crd["versions"]:
                schema = strict(version["schema"]["openAPIV3Schema"])
                schema["properties"]["metadata"] = METADATA
                schema["properties"].pop("status", None)
                kind = crd["names"]["kind"].lower()
                files[f"{crd['group']}/{kind}_{version['name']}.json"] = schema
    return files


def strict(schema: Any) -> Any:
    """An OpenAPI schema as JSON schema, without prose, where no unknown field passes."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string") or schema.get("format") == "int-or-string":
        return {"type": ["integer", "string"], **({"pattern": schema["pattern"]} if "pattern" in schema else {})}
    if schema.get("description", "").startswith("Quantity is a fixed-point"):
        return {"type": ["number", "string"]}
    kept = {}
    for key, value in schema.items():
        if key == "properties":
            kept[key] = {name: strict(inner) for name, inner in value.items()}
        elif not key.startswith("x-kubernetes-") and key not in ("description", "format", "default", "nullable"):
            kept[key] = strict(value)
    if "properties" in kept and not schema.get("x-kubernetes-preserve-unknown-fields"):
        kept.setdefault("additionalProperties", False)
    return kept


def write(name: str, files: dict[str, Any], sources: list[str]) -> None:
    text = json.dumps({"sources": sources, "files": files}, separators=(",", ":"), sort_keys=True)
    (OUT / name).write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True, parents=True)
    write("kubernetes.json.xz", kubernetes(), [f"{name}/{file}" for name, file in KUBERNETES.items()])
    write(
        "extensions.json.xz", extensions(), [f"{name}/{path}" for name, paths in EXTENSIONS.items() for path in paths]
    )
