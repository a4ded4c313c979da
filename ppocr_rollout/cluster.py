"""The chart's objects in a cluster: tracks, pods and the weights of the routes."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import urllib3
from kubernetes import client, config

from ppocr_api.errors import ConfigError, PpocrError, Unavailable

STABLE, CANARY = "stable", "canary"
_GATEWAY: Final = ("gateway.networking.k8s.io", "v1")
_KSERVE: Final = ("serving.kserve.io", "v1beta1")
_ROUTES: Final = ("httproutes", "grpcroutes")
#: Statuses of the API server after which the same request may succeed.
_PASSING: Final = (409, 429, 500, 502, 503, 504)
_ACCOUNT_NAMESPACE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
#: Seconds that one request to the API server may take.
_SECONDS: Final = 10.0
#: Name of the port of the container that answers clients, in separate and in collocated pods.
_FRONT_PORT: Final = "http1"


@dataclass(frozen=True)
class Pod:
    """One pod of a track. `front` is the port of its metrics where it answers clients, None for a predictor."""

    name: str
    uid: str
    created: float
    ready: bool
    running: bool
    restarts: int
    front: int | None


@dataclass(frozen=True)
class Route:
    """One HTTPRoute or GRPCRoute. `places` are the JSON pointers of the tracks' weights in its rules, each (stable, canary)."""

    plural: str
    name: str
    places: tuple[tuple[str, str], ...]
    weight: int
    current: bool
    refused: str


class Cluster:
    """The objects of one release. Everything raises PpocrError with the message of the API server."""

    def __init__(self, namespace: str, release: str, context: str | None = None) -> None:
        """`namespace` "" is that of the kubeconfig's context. In a pod, its service account's."""
        own = _connect(context)
        self.namespace = namespace or own
        self.release = release
        self._core = client.CoreV1Api()
        self._objects = client.CustomObjectsApi()

    def tracks(self) -> dict[str, str]:
        """Track → its InferenceService. Raises ConfigError where there are not both."""
        found = {
            item["metadata"]["labels"]["ppocr/track"]: item["metadata"]["name"]
            for item in self._list(_KSERVE, "inferenceservices")
            if "ppocr/track" in item["metadata"]["labels"]
        }
        if found.keys() != {STABLE, CANARY}:
            there = ", ".join(sorted(found)) or "no track"
            raise ConfigError(
                f"release {self.release} has {there} in namespace {self.namespace}, and stable and canary are needed: "
                "install the chart with canary.enabled=true"
            )
        return found

    def routes(self, tracks: Mapping[str, str]) -> list[Route]:
        """Those that share requests out to both tracks. Raises ConfigError where there is none."""
        found = [_route(plural, item, tracks) for plural in _ROUTES for item in self._list(_GATEWAY, plural)]
        routes = [route for route in found if route.places]
        if not routes:
            raise ConfigError(f"no route of release {self.release} has both tracks: gateway.enabled must be true")
        return routes

    def set_weight(self, route: Route, weight: int, *, only_try: bool = False) -> None:
        """Gives the canary `weight` percent of a route, and the stable track the rest, in one change.

        `only_try` asks the API server whether it would do that.
        """
        with _errors_of_the_api(f"{route.plural} {route.name} can't be changed"):
            self._objects.patch_namespaced_custom_object(
                *_GATEWAY,
                self.namespace,
                route.plural,
                route.name,
                weights(route, weight),
                dry_run="All" if only_try else None,
                _content_type="application/json-patch+json",
                _request_timeout=_SECONDS,
            )

    def pods(self, inference_service: str) -> list[Pod]:
        """The pods of a track that aren't going away, of both parts."""
        with _errors_of_the_api("pods can't be listed"):
            answer: Any = self._core.list_namespaced_pod(
                self.namespace,
                label_selector=f"serving.kserve.io/inferenceservice={inference_service}",
                _request_timeout=_SECONDS,
            )
        return [_pod(item) for item in answer.items if item.metadata.deletion_timestamp is None]

    def metrics(self, pod: Pod) -> str:
        """A pod's /metrics, through the API server: nothing else needs to reach it."""
        with _errors_of_the_api(f"the metrics of pod {pod.name} can't be read"):
            answer: Any = self._core.connect_get_namespaced_pod_proxy_with_path(
                f"{pod.name}:{pod.front}",
                self.namespace,
                "metrics",
                _preload_content=False,
                _request_timeout=_SECONDS,
            )
            return bytes(answer.data).decode()

    def _list(self, group: tuple[str, str], plural: str) -> list[dict[str, Any]]:
        with _errors_of_the_api(f"{plural} can't be listed"):
            answer: Any = self._objects.list_namespaced_custom_object(
                *group,
                self.namespace,
                plural,
                label_selector=f"app.kubernetes.io/instance={self.release}",
                _request_timeout=_SECONDS,
            )
        items: list[dict[str, Any]] = answer["items"]
        return items


def weights(route: Route, weight: int) -> list[dict[str, Any]]:
    """The JSON patch that gives the canary `weight` percent of a route."""
    values = ((stable, 100 - weight) for stable, _ in route.places), ((canary, weight) for _, canary in route.places)
    return [{"op": "add", "path": path, "value": value} for path, value in itertools.chain(*values)]


@contextmanager
def _errors_of_the_api(what: str) -> Iterator[None]:
    try:
        yield
    except client.ApiException as error:
        kind = Unavailable if error.status in _PASSING else PpocrError
        raise kind(f"{what}: {error.status} {_sentence(error)}") from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise Unavailable(f"{what}: the API server can't be reached ({type(error).__name__})") from error


def _sentence(error: client.ApiException) -> str:
    """The API server's own words, where its answer has some."""
    try:
        return str(json.loads(error.body or "")["message"])
    except (ValueError, KeyError, TypeError):
        return str(error.reason)


def _connect(context: str | None) -> str:
    """Takes the kubeconfig, or else a pod's service account, and returns the namespace that it names."""
    try:
        config.load_kube_config(context=context)  # type: ignore[no-untyped-call]
        contexts, active = config.list_kube_config_contexts()  # type: ignore[no-untyped-call]
        chosen = next((each for each in contexts if each["name"] == context), active)
        return str(chosen["context"].get("namespace", "default"))
    except (config.ConfigException, OSError) as error:
        try:
            config.load_incluster_config()  # type: ignore[no-untyped-call]
            return _ACCOUNT_NAMESPACE.read_text().strip()
        except (config.ConfigException, OSError):
            raise ConfigError(f"there is no cluster to talk to: {error}") from error


def _route(plural: str, item: Mapping[str, Any], tracks: Mapping[str, str]) -> Route:
    """A route's rules that name both tracks; a rule that a header chooses names only one, and stays as it is."""
    places, weight = [], 0
    for rule_at, rule in enumerate(item["spec"].get("rules", ())):
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
    conditions = [
        (condition, item["metadata"]["generation"])
        for parent in item.get("status", {}).get("parents", ())
        for condition in parent.get("conditions", ())
        if condition["type"] in ("Accepted", "ResolvedRefs")
    ]
    current = bool(conditions) and all(each.get("observedGeneration") == generation for each, generation in conditions)
    refused = [each.get("message", each["type"]) for each, _ in conditions if each["status"] != "True"]
    return Route(plural, item["metadata"]["name"], tuple(places), weight, current, "; ".join(refused))


def _pod(item: Any) -> Pod:
    statuses = item.status.container_statuses or []
    ports = [port for container in item.spec.containers for port in container.ports or ()]
    front = [port.container_port for port in ports if port.name == _FRONT_PORT]
    alone = item.metadata.labels.get("component") == "predictor" and len(item.spec.containers) == 1
    return Pod(
        name=item.metadata.name,
        uid=item.metadata.uid,
        created=item.metadata.creation_timestamp.timestamp(),
        ready=bool(statuses) and all(status.ready for status in statuses),
        running=any(status.state.running is not None for status in statuses),
        restarts=sum(status.restart_count for status in statuses),
        front=None if alone or not front else front[0],
    )
