"""A further network needs nothing of the predictor: a bundle lists it, and it is loaded, warmed up, batched and served."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import numpy as np
import pytest
import pytest_asyncio

from ppocr import oip
from ppocr.contract import FACTS_PARAMETER
from ppocr.facts_json import facts_from_json
from ppocr.serving import tensors, v2_grpc
from ppocr.serving.tensors import TensorRequest, TensorResponse
from predictor import opening
from predictor.bundle import Bundle
from predictor.loading import BUILT_IN
from predictor.ocr_model import OcrModel
from predictor.settings import NetworkSettings
from tests import services
from tests.predictor import third_network
from tests.predictor.third_network import FACTS, probabilities, thumbnails


@pytest.fixture(scope="session")
def v6() -> Bundle:
    return Bundle.open(BUILT_IN / "ppocrv6-small" / "1")


@pytest_asyncio.fixture(params=["openvino", "onnxruntime"])
async def opened(request: pytest.FixtureRequest, tmp_path: Path, v6: Bundle) -> AsyncIterator[opening.Opened]:
    """One worker, so that what arrives while a page is computed waits together."""
    third_network.put(tmp_path, "1", v6, ("det", "cls", "rec"))
    settings = NetworkSettings(
        model_dir=str(tmp_path), device="cpu", engine=request.param, workers=1, precision="f32", warm_up_seconds=0.0
    )
    opened = await opening.start(await asyncio.to_thread(opening.load, settings), settings)
    yield opened
    await opened.close_repository()
    await opened.predictor.close()


def through_v2(name: str, inputs: dict[str, Any]) -> TensorRequest:
    """A request as it comes over the wire."""
    message = tensors.request_to_grpc(name, inputs)
    return v2_grpc.from_grpc(oip.ModelInferRequest.FromString(message.SerializeToString()))


def labels_of(response: TensorResponse) -> list[int]:
    labels: list[int] = response.outputs["label"].tolist()
    return labels


async def test_it_is_batched_across_requests_beside_the_others(opened: opening.Opened) -> None:
    predictor = opened.predictor
    facts = await predictor.facts()
    assert [network.name for network in facts.networks] == ["det", "cls", "rec"]
    models = {network.name: OcrModel(network, predictor) for network in facts.networks}
    page = through_v2("det", {"image": np.full((1, 960, 736, 3), 255, np.uint8)})
    detection = asyncio.create_task(models["det"].predict(page))
    while not predictor.stats().running:
        await asyncio.sleep(0)
    asked = [(0,), (1, 1, 0), (0, 1), (1, 0)]
    lines = through_v2("rec", {"pixels": np.zeros(48 * 96 * 3, np.uint8), "widths": np.array([64, 32], np.int32)})
    before = predictor.stats()
    assert before.queue_items == {"det": 0, "cls": 0, "rec": 0}
    classified = [
        asyncio.create_task(models["cls"].predict(through_v2("cls", {"thumbnails": thumbnails(*labels)})))
        for labels in asked
    ]
    recognised = asyncio.create_task(models["rec"].predict(lines))
    answers = await asyncio.gather(*classified)
    await asyncio.gather(recognised, detection)
    after = predictor.stats()
    assert [labels_of(answer) for answer in answers] == [list(labels) for labels in asked]
    for labels, answer in zip(asked, answers, strict=True):
        assert answer.outputs["label"].dtype == np.int32
        assert answer.outputs["probability"].dtype == np.float32
        np.testing.assert_allclose(answer.outputs["probability"], probabilities(*labels), atol=1e-4)
    # A page, a line of each width, and the eight images of four requests in a single batch.
    assert (after.batches - before.batches, after.items - before.items) == (4, 1 + 2 + 8)


async def test_its_answer_doesnt_depend_on_its_batch(opened: opening.Opened) -> None:
    model = OcrModel(FACTS, opened.predictor)
    images = thumbnails(*(0, 1, 1, 0, 1))
    together = await model.predict(through_v2("cls", {"thumbnails": images}))
    alone = [await model.predict(through_v2("cls", {"thumbnails": image[None]})) for image in images]
    assert [label for answer in alone for label in labels_of(answer)] == labels_of(together) == [0, 1, 1, 0, 1]


def infer(service: services.Service, name: str, body: dict[str, Any], version: str = "") -> httpx.Response:
    path = f"/v2/models/{name}" + (f"/versions/{version}" if version else "")
    return httpx.post(f"{service.url}{path}/infer", json=body, timeout=60)


def test_a_process_serves_what_is_loaded_later_and_no_longer_what_has_left(tmp_path: Path, v6: Bundle) -> None:
    root = tmp_path / "models"
    for version, names in (("1", ("det", "rec")), ("2", ("det", "cls", "rec")), ("3", ("cls",))):
        third_network.put(root, version, v6, names)
    flags = ("--model_dir", str(root), "--bundle_version", "1", "--repository_api", "--swap_grace_seconds", "0")
    images = thumbnails(1, 0)
    tensor = {"name": "thumbnails", "datatype": "UINT8", "shape": list(images.shape), "data": images.ravel().tolist()}
    classify = {"inputs": [tensor]}
    with services.predictor(tmp_path / "log", *flags, "--swap_warm_up_seconds", "0") as service:

        def load(version: str) -> None:
            body = {"parameters": {"version": version}}
            httpx.post(f"{service.url}/v2/repository/models/three/load", json=body, timeout=60).raise_for_status()

        assert infer(service, "cls", classify).status_code == 404
        load("2")
        answer = infer(service, "cls", classify).raise_for_status().json()
        assert [output["name"] for output in answer["outputs"]] == ["label", "probability"]
        assert answer["outputs"][0]["data"] == [1, 0]
        assert [output["shape"] for output in answer["outputs"]] == [[2], [2]]
        assert answer["parameters"]["ppocr.identity"].startswith("three/2@")
        wrong = infer(service, "cls", {"inputs": [{**tensor, "shape": [2, 64, 32, 3]}]})
        assert wrong.status_code == 400
        assert "cls takes heights of 32" in wrong.json()["error"]
        metadata = httpx.get(f"{service.url}/v2/models/cls").json()
        assert metadata["inputs"] == [{"name": "thumbnails", "datatype": "UINT8", "shape": [-1, 32, 64, 3]}]
        with grpc.insecure_channel(service.grpc) as channel:
            request = oip.ModelMetadataRequest(name="cls")
            parameters = oip.unary(channel, "ModelMetadata")(request, timeout=60).parameters
            facts = facts_from_json(parameters[FACTS_PARAMETER].string_param)
            assert facts.network("cls") == FACTS
            message = tensors.request_to_grpc("cls", {"thumbnails": images}, "2")
            found = tensors.response_from_grpc(oip.unary(channel, "ModelInfer")(message, timeout=60))
            assert (labels_of(found), found.model_version) == ([1, 0], "2")
        metrics = httpx.get(f"{service.url}/metrics").text
        assert 'ppocr_batch_items_count{model="cls"} 2.0' in metrics
        assert 'ppocr_queue_items{model="cls"} 0.0' in metrics
        load("3")
        assert infer(service, "cls", classify).json()["model_version"] == "3"
        deadline = time.monotonic() + services.READY_SECONDS
        while httpx.get(f"{service.url}/v2/models/det").status_code != 404:
            assert time.monotonic() < deadline, "the version without det has left, and det still answers"
        assert httpx.get(f"{service.url}/v2/health/ready").status_code == 200
        assert infer(service, "rec", classify).status_code == 404
