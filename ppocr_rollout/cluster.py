"""The Kubernetes objects of a release: tracks, pods, and the routes that split the requests."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import urllib3
from kubernetes import client, config

from ppocr_api.errors import ConfigError, NotFound, PpocrError, Unavailable
from ppocr_rollout.routes import CANARY, KINDS, MARK, STABLE, Route, idle, manifest, route

_GATEWAY: Final = ("gateway.networking.k8s.io", "v1")
#: What a track is made of, by group, plural and kind. A cluster without KServe doesn't know the first.
_OWNERS: Final = (
    (("serving.kserve.io", "v1beta1"), "inferenceservices", "InferenceService"),
    (("apps", "v1"), "deployments", "Deployment"),
)
_TRACK: Final = "ppocr/track"
_COMPONENT: Final = "app.kubernetes.io/component"
_TRANSFORMER: Final = "transformer"
#: Statuses of the API server after which the same request may succeed.
_PASSING: Final = (409, 429, 500, 502, 503, 504)
_NOT_FOUND: Final = 404
_ACCOUNT_NAMESPACE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
#: Seconds that one request to the API server may take.
_SECONDS: Final = 10.0
#: How long a route is idle after it is created, and before it is removed [seconds]: gateways need less to learn of a change.
_IDLE_SECONDS: Final = 3.0
#: Name of the port of the container that answers clients, and of the predictor's beside it in a collocated pod.
_FRONT_PORT: Final = "http1"
_COLLOCATED_PORT: Final = "http1-predictor"


@dataclass(frozen=True)
class Pod:
    """One pod of a track. `front` is the port of its metrics if it answers clients, None for a predictor."""

    name: str
    uid: str
    created: float
    ready: bool
    running: bool
    restarts: int
    front: int | None


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
        """Track → what the names of its Services begin with. Raises ConfigError if there are not both."""
        found = {track: meta["name"].removesuffix("-transformer") for track, meta in self._owners().items()}
        if found.keys() != {STABLE, CANARY}:
            there = ", ".join(sorted(found)) or "no track"
            raise ConfigError(
                f"release {self.release} has {there} in namespace {self.namespace}, and stable and canary are needed: "
                "install the chart with canary.enabled=true"
            )
        return found

    def routes(self, tracks: Mapping[str, str]) -> list[Route]:
        """Those that share requests out to both tracks. Raises ConfigError if there is none."""
        owner = self._owner()
        found = []
        for plural in KINDS:
            items = self._list(_GATEWAY, plural)
            own = {item["metadata"]["name"]: item for item in items if MARK in item["metadata"]["labels"]}
            charts = [item for item in items if MARK not in item["metadata"]["labels"]]
            found += [
                route(plural, item, own.get(f"{item['metadata']['name']}-rollout"), tracks, owner) for item in charts
            ]
        routes = [each for each in found if each.places]
        if not routes:
            raise ConfigError(f"no route of release {self.release} has both tracks: gateway.enabled must be true")
        return routes

    def set_weight(self, route: Route, weight: int, *, only_try: bool = False) -> None:
        """Gives the canary `weight` percent of what a route takes, and the stable track the rest, in one change.

        `only_try` asks the API server whether it would do that.
        """
        body = manifest(route, weight)
        with _errors_of_the_api(f"{route.plural} {route.name} can't be changed"):
            try:
                self._patch(route.plural, route.name, body, only_try)
            except client.ApiException as error:
                if error.status != _NOT_FOUND:
                    raise
                self._create(route, body, only_try)

    def _create(self, route: Route, body: dict[str, Any], only_try: bool) -> None:
        place = (*_GATEWAY, self.namespace, route.plural)
        self._objects.create_namespaced_custom_object(*place, idle(body), **_options(only_try))
        if not only_try:
            time.sleep(_IDLE_SECONDS)
            self._patch(route.plural, route.name, body)

    def _patch(self, plural: str, name: str, body: dict[str, Any], only_try: bool = False) -> None:
        place, options = (*_GATEWAY, self.namespace, plural, name), _options(only_try)
        self._objects.patch_namespaced_custom_object(
            *place, body, _content_type="application/merge-patch+json", **options
        )

    def end(self) -> dict[str, str]:
        """Removes the routes of a rollout, so that the chart's weights count again; returns their names by plural."""
        listed = ((plural, item) for plural in KINDS for item in self._list(_GATEWAY, plural))
        own = [(plural, item) for plural, item in listed if MARK in item["metadata"]["labels"]]
        for plural, item in own:
            with _errors_of_the_api(f"{plural} {item['metadata']['name']} can't be removed"):
                self._patch(plural, item["metadata"]["name"], {"spec": {"rules": idle(item)["spec"]["rules"]}})
        time.sleep(_IDLE_SECONDS if own else 0.0)
        gone: dict[str, str] = {}
        for plural, item in own:
            name = gone[plural] = item["metadata"]["name"]
            with _errors_of_the_api(f"{plural} {name} can't be removed"):
                self._objects.delete_namespaced_custom_object(
                    *_GATEWAY, self.namespace, plural, name, _request_timeout=_SECONDS
                )
        return gone

    def pods(self, track: str) -> list[Pod]:
        """The pods of a track that aren't going away, of both parts."""
        with _errors_of_the_api("pods can't be listed"):
            answer: Any = self._core.list_namespaced_pod(
                self.namespace,
                label_selector=f"app.kubernetes.io/instance={self.release},{_TRACK}={track}",
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

    def _owners(self) -> dict[str, dict[str, Any]]:
        """Track → the metadata of what goes when the track goes: its InferenceService, or without KServe its transformer's
        Deployment; with `apiVersion` and `kind` in it."""
        for group, plural, kind in _OWNERS:
            try:
                items = self._list(group, plural)
            except NotFound:
                continue
            found = {
                item["metadata"]["labels"][_TRACK]: {**item["metadata"], "apiVersion": "/".join(group), "kind": kind}
                for item in items
                if _TRACK in item["metadata"]["labels"]
                and item["metadata"]["labels"].get(_COMPONENT, _TRANSFORMER) == _TRANSFORMER
            }
            if found:
                return found
        return {}

    def _owner(self) -> dict[str, Any]:
        """The canary, as that which the rollout's routes depend on."""
        canary = self._owners().get(CANARY)
        if canary is None:
            raise NotFound(f"release {self.release} has no canary any more")
        return {key: canary[key] for key in ("apiVersion", "kind", "name", "uid")}

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


def _options(only_try: bool) -> dict[str, Any]:
    return {"dry_run": "All" if only_try else None, "_request_timeout": _SECONDS}


@contextmanager
def _errors_of_the_api(what: str) -> Iterator[None]:
    try:
        yield
    except client.ApiException as error:
        kind = Unavailable if error.status in _PASSING else NotFound if error.status == _NOT_FOUND else PpocrError
        raise kind(f"{what}: {error.status} {_sentence(error)}") from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise Unavailable(f"{what}: the API server can't be reached ({type(error).__name__})") from error


def _sentence(error: client.ApiException) -> str:
    """The API server's own words, if its answer has some."""
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


def _pod(item: Any) -> Pod:
    statuses = item.status.container_statuses or []
    ports = {port.name: port.container_port for container in item.spec.containers for port in container.ports or ()}
    alone = item.metadata.labels.get(_COMPONENT) == "predictor" and _COLLOCATED_PORT not in ports
    return Pod(
        name=item.metadata.name,
        uid=item.metadata.uid,
        created=item.metadata.creation_timestamp.timestamp(),
        ready=bool(statuses) and all(status.ready for status in statuses),
        running=any(status.state.running is not None for status in statuses),
        restarts=sum(status.restart_count for status in statuses),
        front=None if alone else ports.get(_FRONT_PORT),
    )
