"""The routes of a rollout, which split the requests. They exist in addition to the chart's routes.

The chart's objects are never changed: Helm, Argo CD and `kubectl apply` own all their fields, and would report a
conflict or reset the weight. For each HTTPRoute and GRPCRoute of the chart with both tracks there is a route NAME-rollout, with
the same hosts and more specific rules: they match the methods that read images. By Gateway API's precedence it
gets these requests, whatever the chart's weight is. It is deleted together with the canary, which owns it.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

STABLE, CANARY = "stable", "canary"
#: On the routes of a rollout, and on no other.
MARK: Final = "ppocr/rollout"
API: Final = "gateway.networking.k8s.io/v1"
KINDS: Final = {"httproutes": "HTTPRoute", "grpcroutes": "GRPCRoute"}
#: Methods of HTTP by which images are sent. Other requests, such as asking for health, follow the chart's weight.
_HTTP_METHODS: Final = ("POST", "PUT")
_GRPC_METHOD: Final = {"type": "Exact", "service": "inference.GRPCInferenceService", "method": "ModelInfer"}
#: A header that no client sends. A route whose rules ask for it is known to the gateway, and gets no requests.
_IDLE: Final = {"type": "Exact", "name": "x-ppocr-rollout", "value": "idle"}
#: Labels that say whose an object is.
_OWNERS_LABELS: Final = ("helm.sh/chart", "app.kubernetes.io/managed-by", "app.kubernetes.io/version")


@dataclass(frozen=True)
class Route:
    """One route of a rollout. `places` are the JSON pointers of the tracks' weights in its rules, each (stable, canary).

    `made` is what it has to be, but for the weights. Until it `exists`, `weight`, `current` and `refused` are the chart's.
    """

    plural: str
    name: str
    places: tuple[tuple[str, str], ...]
    weight: int
    current: bool
    refused: str
    made: Mapping[str, Any] = field(default_factory=dict)
    exists: bool = False


def route(
    plural: str,
    charts: Mapping[str, Any],
    own: Mapping[str, Any] | None,
    tracks: Mapping[str, str],
    owner: Mapping[str, Any],
) -> Route:
    """The rollout's route beside one of the chart's; `places` is empty if that doesn't name both tracks."""
    made = _beside(plural, charts, owner)
    places, _ = _weights(made["spec"].get("rules", ()), tracks)
    shown = charts if own is None else own
    _, weight = _weights(shown["spec"].get("rules", ()), tracks)
    conditions = [
        (condition, shown["metadata"]["generation"])
        for parent in shown.get("status", {}).get("parents", ())
        for condition in parent.get("conditions", ())
        if condition["type"] in ("Accepted", "ResolvedRefs")
    ]
    current = bool(conditions) and all(each.get("observedGeneration") == generation for each, generation in conditions)
    refused = [each.get("message", each["type"]) for each, _ in conditions if each["status"] != "True"]
    name = made["metadata"]["name"]
    return Route(plural, name, tuple(places), weight, current, "; ".join(refused), made, own is not None)


def weights(route: Route, weight: int) -> list[dict[str, Any]]:
    """The JSON patch that gives the canary `weight` percent of a route."""
    values = ((stable, 100 - weight) for stable, _ in route.places), ((canary, weight) for _, canary in route.places)
    return [{"op": "add", "path": path, "value": value} for path, value in itertools.chain(*values)]


def manifest(route: Route, weight: int) -> dict[str, Any]:
    """The whole route with the canary at `weight` percent."""
    made: dict[str, Any] = copy.deepcopy(dict(route.made))
    for change in weights(route, weight):
        at: Any = made
        *way, last = change["path"].strip("/").split("/")
        for step in way:
            at = at[int(step)] if isinstance(at, list) else at[step]
        at[last] = change["value"]
    return made


def idle(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The route of `manifest`, without any requests.

    A gateway may learn of a route before it knows the backends of its rules, and answers 503 until then; or it may forget the
    backends first when a route is removed (Envoy Gateway does both). A route that is idle at that time loses nothing.
    """
    made: dict[str, Any] = copy.deepcopy(dict(manifest))
    for rule in made["spec"].get("rules", ()):
        for match in rule.setdefault("matches", [{}]):
            match["headers"] = [*(each for each in match.get("headers", ()) if each != _IDLE), dict(_IDLE)]
    return made


def _beside(plural: str, charts: Mapping[str, Any], owner: Mapping[str, Any]) -> dict[str, Any]:
    spec = copy.deepcopy(dict(charts["spec"]))
    spec["rules"] = [made for rule in spec.get("rules", ()) for made in _more_specific(plural, rule)]
    meta = charts["metadata"]
    kept = {name: value for name, value in meta.get("labels", {}).items() if name not in _OWNERS_LABELS}
    return {
        "apiVersion": API,
        "kind": KINDS[plural],
        "metadata": {
            "name": f"{meta['name']}-rollout",
            "labels": {**kept, MARK: "true", "app.kubernetes.io/managed-by": "ppocr-rollout"},
            "ownerReferences": [dict(owner)],
        },
        "spec": spec,
    }


def _more_specific(plural: str, rule: Mapping[str, Any]) -> list[dict[str, Any]]:
    matches = rule.get("matches") or [{}]
    if plural == "grpcroutes":
        return [{**copy.deepcopy(dict(rule)), "matches": [{**match, "method": _GRPC_METHOD} for match in matches]}]
    return [
        {**copy.deepcopy(dict(rule)), "matches": [{**match, "method": method} for match in matches]}
        for method in _HTTP_METHODS
    ]


def _weights(rules: Any, tracks: Mapping[str, str]) -> tuple[list[tuple[str, str]], int]:
    """Of the rules that name both tracks; one that a header chooses names only one, and stays as it is."""
    places, weight = [], 0
    for rule_at, rule in enumerate(rules):
        at: dict[str, int] = {}
        backends = rule.get("backendRefs", ())
        for backend_at, backend in enumerate(backends):
            for track, service in tracks.items():
                if backend["name"] in (f"{service}-transformer", f"{service}-predictor"):
                    at[track] = backend_at
        if at.keys() == {STABLE, CANARY}:
            pointer = f"/spec/rules/{rule_at}/backendRefs"
            places.append((f"{pointer}/{at[STABLE]}/weight", f"{pointer}/{at[CANARY]}/weight"))
            weight = backends[at[CANARY]].get("weight", 1)
    return places, weight
