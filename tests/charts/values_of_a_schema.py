"""Values that a chart's schema allows, for hypothesis: a few at a time, laid over the defaults."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]
#: What stands for Kubernetes' own types, which the schema leaves to the API server.
FREE: dict[str, list[Any]] = {
    "commonLabels": [{"team": "documents"}],
    "commonAnnotations": [{"example.com/owner": "documents"}],
    "objectAnnotations": [{"Service": {"example.com/a": "b"}}],
    "extraObjects": [[{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "more"}, "data": {"a": "b"}}]],
    "tolerations": [[{"key": "dedicated", "operator": "Exists"}]],
    "nodeSelector": [{"kubernetes.io/arch": "amd64"}],
    "podLabels": [{"tier": "front"}],
    "podAnnotations": [{"example.com/note": "x"}],
    "annotations": [{"example.com/note": "x"}],
    "grpcAnnotations": [{"example.com/note": "x"}],
    "labels": [{"release": "prometheus"}],
    "alertLabels": [{"team": "documents"}],
    "affinity": [{"podAntiAffinity": {}}],
    "extraVolumes": [[{"name": "shm", "emptyDir": {"medium": "Memory"}}], [{"name": "tmp", "emptyDir": {}}]],
    "extraVolumeMounts": [[{"name": "shm", "mountPath": "/dev/shm"}]],
    "extraArgs": [["--log_level=debug"]],
    "extraEnv": [[{"name": "TZ", "value": "UTC"}]],
    "envFrom": [[{"secretRef": {"name": "proxies", "optional": True}}]],
    "initContainers": [[{"name": "wait", "image": "busybox"}]],
    "sidecars": [[{"name": "proxy", "image": "envoy"}], [{"name": "kserve-container", "image": "envoy"}]],
    "lifecycle": [{"preStop": {"sleep": {"seconds": 1}}}],
    "hostAliases": [[{"ip": "10.0.0.7", "hostnames": ["a.example.com"]}]],
    "dnsConfig": [{"nameservers": ["10.0.0.2"], "options": [{"name": "ndots", "value": "1"}]}],
    "resourceClaims": [[{"name": "gpu", "resourceClaimName": "gpu"}]],
    "resources": [
        {
            "requests": {"cpu": "100m", "memory": "500Mi"},
            "limits": {"cpu": 2, "memory": "2Gi", "ephemeral-storage": "1Gi"},
        }
    ],
    "metrics": [
        [
            {
                "type": "Resource",
                "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 80}},
            }
        ]
    ],
    "triggers": [[{"type": "cron", "metadata": {"timezone": "UTC", "start": "0 8 * * *", "end": "0 9 * * *"}}]],
    "behavior": [{"scaleDown": {"stabilizationWindowSeconds": 60}}],
    "topologySpreadConstraints": [[{"topologyKey": "zone", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}]],
    "spreadOver": [["topology.kubernetes.io/zone"], []],
    "parentRefs": [[{"name": "public", "namespace": "gateways"}]],
    "tls": [[{"hosts": ["a.example.com"], "secretName": "tls"}]],
    "clients": [[{"podSelector": {}}]],
    "scrapers": [[], [{"podSelector": {}}]],
    "predictorEgress": [[{"ports": [{"protocol": "TCP", "port": 443}]}]],
    "transformerEgress": [[{"ports": [{"protocol": "TCP", "port": 443}]}]],
    "podSecurityContext": [{"runAsUser": 1000}],
    "securityContext": [{"runAsUser": 1000}],
    "audiences": [["ocr"]],
    "imagePullSecrets": [[{"name": "registry"}]],
    "formats": [["v1", "v2"]],
    "global": [{"imageRegistry": "x"}],
    "images": [{"configMap": {"name": "samples"}}, {}],
}
#: Addresses and texts whose form the schema doesn't say.
TEXT = ["", "x", "a-b.example.com", "https://example.com/keys", "pvc://bundles/a", "s3://models/ppocr"]


def some_values(schema: Json) -> st.SearchStrategy[Json]:
    """One to eight of the schema's values."""
    leaves = dict(_leaves(schema, schema, ()))
    paths = st.lists(st.sampled_from(sorted(leaves)), min_size=1, max_size=8, unique=True)
    chosen = paths.flatmap(lambda found: st.fixed_dictionaries({path: leaves[path] for path in found}))
    return chosen.map(_nested)


def _leaves(
    root: Json, schema: Json, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], st.SearchStrategy[Any]]]:
    """Path of a value → what it may be."""
    for name, found in schema["properties"].items():
        resolved = _resolved(root, found)
        where = (*path, name)
        if name in FREE:
            yield where, st.sampled_from(FREE[name])
        elif resolved.get("type") == "object" and "properties" in resolved:
            yield from _leaves(root, resolved, where)
        else:
            yield where, _one(root, resolved, where)


def _resolved(root: Json, schema: Json) -> Json:
    while "$ref" in schema:
        found: Any = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def _one(root: Json, schema: Json, path: tuple[str, ...]) -> st.SearchStrategy[Any]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "anyOf" in schema:
        return st.one_of([_one(root, each, path) for each in schema["anyOf"]])
    kind = schema["type"]
    if isinstance(kind, list):
        return st.one_of([_one(root, {**schema, "type": each}, path) for each in kind])
    if kind == "boolean":
        return st.booleans()
    if kind in ("integer", "number"):
        low = int(schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1 if "exclusiveMinimum" in schema else 0))
        return st.integers(low, min(int(schema.get("maximum", low + 10_000_000)), 2**31 - 1))
    if kind == "array":
        items = _one(root, _resolved(root, schema["items"]), path)
        return st.lists(items, min_size=schema.get("minItems", 0), max_size=3, unique_by=json.dumps)
    if kind == "string" and "pattern" in schema:
        longest = schema.get("maxLength", 60)
        return st.from_regex(re.compile(schema["pattern"], re.ASCII), fullmatch=True).filter(
            lambda text: len(text) <= longest and text.isascii() and "\n" not in text
        )
    assert kind == "string", f"{'.'.join(path)}: a type of Kubernetes' own: FREE needs an example of it"
    return st.sampled_from(TEXT)


def _nested(chosen: dict[tuple[str, ...], Any]) -> Json:
    values: Json = {}
    for path, value in chosen.items():
        inner = values
        for name in path[:-1]:
            inner = inner.setdefault(name, {})
        inner[path[-1]] = value
    return values


def schema_of(chart: Path) -> Json:
    found: Json = json.loads((chart / "values.schema.json").read_text())
    return found
