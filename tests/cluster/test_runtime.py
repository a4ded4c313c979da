"""An InferenceService of ten lines, as KServe's own SDK makes it, in a namespace that is `restricted`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import grpc
import httpx
import pytest
from kserve import (
    KServeClient,
    V1beta1InferenceService,
    V1beta1InferenceServiceSpec,
    V1beta1ModelFormat,
    V1beta1ModelSpec,
    V1beta1PredictorSpec,
)
from kubernetes.client import ApiClient, V1ObjectMeta

from ppocr import oip
from ppocr.serving import tensors
from tests.cluster import images
from tests.cluster.bundles import CLAIM, Shelf
from tests.cluster.kube import Json, Namespace, new_namespace, nightly, until
from tests.cluster.release import CHART, TAG

BUILT_IN = "ppocr://built-in"
SMALL: Json = {
    "image": {"tag": TAG},
    "resources": {"requests": {"cpu": "100m", "memory": "700Mi"}, "limits": {"cpu": "4", "memory": "3Gi"}},
    "startupProbe": {"periodSeconds": 1},
    "readinessProbe": {"periodSeconds": 1},
}


@pytest.fixture(scope="module")
def runtime(namespace: Namespace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The chart's runtime, for all namespaces."""
    values = tmp_path_factory.mktemp("runtime") / "values.json"
    values.write_text(json.dumps(SMALL))
    chart = str(CHART.with_name("ppocr-runtime"))
    namespace.helm("install", "ppocr-runtime", chart, "--values", str(values))
    yield "ppocr"
    namespace.helm("uninstall", "ppocr-runtime")


@pytest.fixture(scope="module")
def restricted() -> Iterator[Namespace]:
    """A namespace that takes only pods of the Pod Security Standard `restricted`."""
    with new_namespace("ppocr-restricted", "pod-security.kubernetes.io/enforce=restricted") as made:
        yield made


class Service(dict[str, Any]):
    """What KServe's classes say, as the API server reads it: kubernetes 37 takes only a dictionary from the SDK."""

    @property
    def api_version(self) -> str:
        return str(self["apiVersion"])


def _json(value: Any) -> Any:
    if not hasattr(value, "attribute_map"):
        return ApiClient().sanitize_for_serialization(value)
    found = {key: getattr(value, name) for name, key in value.attribute_map.items()}
    return {key: _json(each) for key, each in found.items() if each is not None}


def service(name: str, namespace: Namespace, uri: str = BUILT_IN, **predictor: Any) -> Service:
    model = V1beta1ModelSpec(model_format=V1beta1ModelFormat(name="ppocr"), storage_uri=uri)
    made = V1beta1InferenceService(
        api_version="serving.kserve.io/v1beta1",
        kind="InferenceService",
        metadata=V1ObjectMeta(name=name, namespace=namespace.name),
        spec=V1beta1InferenceServiceSpec(predictor=V1beta1PredictorSpec(model=model, **predictor)),
    )
    return Service(_json(made))


@dataclass(frozen=True)
class Served:
    """An InferenceService that is ready, at the address that it names itself."""

    namespace: Namespace
    name: str
    gateway_url: str

    def post(self, path: str, body: bytes, kind: str) -> Any:
        url = httpx.URL(self.namespace.get("isvc", self.name)["status"]["url"])
        headers = {"host": url.host, "content-type": kind}
        with httpx.Client(timeout=70, trust_env=False) as client:
            answer = client.post(f"{self.gateway_url}{path}", content=body, headers=headers)
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def served(runtime: str, restricted: Namespace, gateway_url: str) -> Served:
    client = KServeClient(config_file=os.environ.get("KUBECONFIG"))
    client.create(service("receipts", restricted), restricted.name)
    client.wait_isvc_ready("receipts", restricted.name, timeout_seconds=120, polling_interval=1)
    served = Served(restricted, "receipts", gateway_url)
    until(30, lambda: answers(served), "an answer at its URL")
    return served


def answers(served: Served) -> bool:
    try:
        served.post("/v1/models/receipts:predict", images.line(), "image/png")
    except AssertionError:
        return False
    return True


def test_a_picture_v1_and_v2_are_read_at_its_url(served: Served) -> None:
    picture = served.post("/v1/models/receipts:predict", images.line(), "image/png")
    v1 = served.post("/v1/models/receipts:predict", images.v1(images.line()), "application/json")
    for answer in (picture, v1):
        assert [line["text"] for line in answer["predictions"][0]["lines"]] == [images.TEXT]
    v2 = served.post("/v2/models/receipts/infer", images.v2(images.line()), "application/json")
    assert next(each["data"] for each in v2["outputs"] if each["name"] == "text") == [images.TEXT]


def test_grpc_is_answered_at_its_host_and_by_its_service(served: Served) -> None:
    found = served.namespace.get("service", "receipts-predictor")["spec"]
    assert {port["port"] for port in found["ports"]} == {80, 8081}
    pod = served.namespace.pods("serving.kserve.io/inferenceservice=receipts")[0]
    request = oip.ModelInferRequest(model_name="receipts")
    request.inputs.add(name="image", datatype="BYTES", shape=[1]).contents.bytes_contents.append(images.line())
    host = httpx.URL(served.namespace.get("isvc", "receipts")["status"]["url"]).host
    gateway = f"{served.gateway_url.removeprefix('http://')}:80"
    for address, options in ((f"{pod.ip}:8081", []), (gateway, [("grpc.default_authority", host)])):
        with grpc.insecure_channel(address, options) as channel:
            answer = oip.unary(channel, "ModelInfer")(request, timeout=30)
        assert [text.decode() for text in tensors.response_from_grpc(answer).outputs["text"]] == [images.TEXT]


def test_it_is_one_container_without_rights(served: Served) -> None:
    pod = served.namespace.pods("serving.kserve.io/inferenceservice=receipts")[0]
    assert [each["name"] for each in pod.raw["spec"]["containers"]] == ["kserve-container"]
    assert pod.raw["spec"]["terminationGracePeriodSeconds"] == 30
    assert "READY" in served.namespace.kubectl("get", "isvc", "receipts")


def failure(namespace: Namespace, name: str) -> str:
    """Why KServe says that a model isn't loaded."""
    status = namespace.get("isvc", name).get("status", {})
    return str(status.get("modelStatus", {}).get("lastFailureInfo", {}).get("message", ""))


def test_it_says_why_a_bundle_is_not_served(runtime: str, shelf: Shelf) -> None:
    shelf.break_(9, of=1)
    client = KServeClient(config_file=os.environ.get("KUBECONFIG"))
    broken = service("broken", shelf.namespace, f"pvc://{CLAIM}")
    broken["spec"]["predictor"]["model"]["env"] = [{"name": "PPOCR_BUNDLE_VERSION", "value": "9"}]
    nowhere = service("nowhere", shelf.namespace, "ppocr://other")
    client.create(broken, shelf.namespace.name)
    client.create(nowhere, shelf.namespace.name)
    try:
        until(90, lambda: "SHA-256" in failure(shelf.namespace, "broken"), "the reason of a broken bundle")
        said = "ppocr://built-in is the only address"
        until(90, lambda: said in failure(shelf.namespace, "nowhere"), "the reason of an address without a bundle")
    finally:
        shelf.namespace.kubectl("delete", "isvc", "broken", "nowhere", "--wait=false")


@nightly
def test_kserves_own_fields_work(served: Served, say: Callable[[str], None]) -> None:
    """Its autoscaler and its canary, and the log of requests, whose program isn't here: its container is."""
    namespace = served.namespace
    scale = {"minReplicas": 1, "maxReplicas": 3, "scaleMetric": "cpu", "scaleTarget": 80}
    namespace.kubectl(
        "patch", "isvc", "receipts", "--type=merge", "--patch", json.dumps({"spec": {"predictor": scale}})
    )

    def scaled() -> Json:
        found = [each["spec"] for each in namespace.get("hpa")["items"]]
        return found[0] if found and found[0]["maxReplicas"] == scale["maxReplicas"] else {}

    spec = until(60, scaled, "KServe's autoscaler")
    assert spec["scaleTargetRef"]["name"] == "receipts-predictor"
    model = {
        "modelFormat": {"name": "ppocr"},
        "storageUri": BUILT_IN,
        "env": [{"name": "PPOCR_TRACK", "value": "next"}],
    }
    canary = {"trafficPercent": 50, "predictor": {"name": "next", "minReplicas": 1, "model": model}}
    standard = {"annotations": {"serving.kserve.io/deploymentMode": "Standard"}}
    body = json.dumps({"metadata": standard, "spec": {"canary": [canary]}})
    namespace.kubectl("patch", "isvc", "receipts", "--type=merge", "--patch", body)

    # Its pods and its Service, which no route of KServe's leads to.
    chosen = "serving.kserve.io/inferenceservice=receipts,app=isvc.receipts-next-predictor"
    ready = until(120, lambda: [pod for pod in namespace.pods(chosen) if pod.ready], "the canary's pod")
    with httpx.Client(timeout=70, trust_env=False) as client:
        answer = client.get(f"http://{ready[0].ip}:8080/v2/health/ready")
    assert answer.headers["x-ppocr-track"] == "next"
    assert namespace.get("service", "receipts-next-predictor")["spec"]["ports"]
    say(f"KServe's canary: {namespace.kubectl('get', 'isvc,hpa,deployments')}")
    logged = {"spec": {"predictor": {"logger": {"mode": "all", "url": "http://logs.example.com"}}}}
    namespace.kubectl("patch", "isvc", "receipts", "--type=merge", "--patch", json.dumps(logged))

    def names() -> set[str]:
        pods = namespace.pods("serving.kserve.io/inferenceservice=receipts")
        return {each["name"] for pod in pods for each in pod.raw["spec"]["containers"]}

    until(60, lambda: "agent" in names(), "KServe's agent in a pod")
