"""Which V2 models there are, and what a request to one becomes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from kserve.model_repository import ModelRepository
from numpy.typing import NDArray

from ppocr.call import Call
from ppocr.contract import FACTS_PARAMETER, IDENTITY_PARAMETER, NetworkFacts
from ppocr.facts_json import facts_from_json
from ppocr.serving.tensors import TensorRequest
from ppocr_api.errors import DeadlineExceeded, NotFound, Overloaded, Unavailable
from predictor.batching import Limits, NetworkSlot, Scheduler
from predictor.engines.base import Capabilities
from predictor.local import LocalPredictor
from predictor.models import NetworkModels
from predictor.ocr_model import OcrModel
from predictor.versions import LoadedVersion, Versions
from tests.predictor import facts
from tests.predictor.batching.stand_ins import Checksums, Held, settle
from tests.predictor.facts import CLS, DET, REC


class Pages(Held):
    """Answers in the shape of a detection network: the red channel."""

    def infer(self, pixels: NDArray[np.uint8]) -> tuple[NDArray[Any], ...]:
        super().infer(pixels)
        return (pixels[..., 0].copy(),)


def version(number: str, networks: Sequence[NetworkFacts], network: Checksums | None = None) -> LoadedVersion:
    known = facts.bundle(number, networks, digest=f"d{number}")
    slots = {
        each.name: NetworkSlot(each.name, place, number, network or Checksums(), 64 * 64)
        for place, each in enumerate(networks)
    }
    return LoadedVersion(known, Capabilities("test", "CPU", "f32", 1, 0), slots, lambda: None)


def page(count: int = 1, number: str = "", call: Call | None = None) -> TensorRequest:
    pixels = np.random.default_rng(count).integers(0, 255, (count, 64, 64, 3), np.uint8)
    return TensorRequest("det", {"image": pixels}, model_version=number, call=call or Call())


async def test_models_follow_the_versions_in_memory() -> None:
    versions, registry = Versions(grace_seconds=60), ModelRepository()
    predictor = LocalPredictor(versions, Scheduler())
    versions.activate(version("1", (DET, REC)))
    NetworkModels(registry, versions, predictor)
    assert sorted(registry.get_models()) == ["det", "rec"]
    det = registry.get_model("det")
    versions.activate(version("2", (DET, CLS, REC)))
    assert sorted(registry.get_models()) == ["cls", "det", "rec"]
    assert registry.get_model("det") is det
    cls: OcrModel = registry.get_model("cls")
    assert cls.get_input_types() == [{"name": "thumbnails", "datatype": "UINT8", "shape": [-1, 32, 64, 3]}]
    versions.activate(version("3", (DET, REC)))
    assert (await cls.metadata_parameters("2"))[FACTS_PARAMETER]
    for missing in ("", "3"):
        with pytest.raises(NotFound, match="small/3 has no network 'cls'"):
            await cls.check_version(missing)
    await predictor.close()


async def test_a_network_that_no_version_has_any_more_is_no_model_any_more() -> None:
    versions, registry = Versions(grace_seconds=0), ModelRepository()
    predictor = LocalPredictor(versions, Scheduler())
    versions.activate(version("1", (DET, CLS, REC)))
    NetworkModels(registry, versions, predictor)
    versions.activate(version("2", (DET, REC)))
    await versions.left()
    assert sorted(registry.get_models()) == ["det", "rec"]
    versions.retire(versions.serving())
    await versions.left()
    model: OcrModel = registry.get_model("det")
    assert not await model.healthy(), "there is the model, and nothing to compute with"
    with pytest.raises(Unavailable, match="no version"):
        await model.predict(page())
    await predictor.close()


async def test_facts_are_those_of_the_version_that_is_asked_for() -> None:
    versions = Versions(side_by_side=2)
    versions.activate(version("1", (DET, REC)))
    versions.activate(version("2", (DET, CLS, REC)))
    predictor = LocalPredictor(versions, Scheduler())
    model = OcrModel(DET, predictor)
    for number, names in (("1", ["det", "rec"]), ("2", ["det", "cls", "rec"]), ("", ["det", "cls", "rec"])):
        told = facts_from_json((await model.metadata_parameters(number))[FACTS_PARAMETER])
        assert [network.name for network in told.networks] == names
    await predictor.close()


async def test_all_images_of_a_request_are_computed_by_one_version_whatever_comes_meanwhile() -> None:
    old, new = Pages(), Pages()
    versions = Versions(grace_seconds=60)
    versions.activate(version("1", (DET, REC), old))
    predictor = LocalPredictor(versions, Scheduler())
    request = page(3)
    asked = asyncio.create_task(OcrModel(DET, predictor).predict(request))
    await old.entered()
    versions.activate(version("2", (DET, REC), new))
    old.let_go(3)
    answer = await asked
    assert np.array_equal(answer.outputs["probability"], request.inputs["image"][..., 0])
    assert (answer.model_version, answer.parameters[IDENTITY_PARAMETER]) == ("1", "small/1@d1")
    assert len(old.shapes) == 3, "a page is a batch here"
    assert new.shapes == []
    await predictor.close()


async def test_a_request_is_refused_or_cancelled_with_all_its_images() -> None:
    network = Pages()
    versions = Versions()
    versions.activate(version("1", (DET, REC), network))
    predictor = LocalPredictor(versions, Scheduler(Limits(max_queue_pixels=3 * 64 * 64)))
    model = OcrModel(DET, predictor)
    first = asyncio.create_task(model.predict(page()))
    await network.entered()
    second = asyncio.create_task(model.predict(page(2)))
    await settle()
    with pytest.raises(Overloaded):
        await model.predict(page(2))
    assert predictor.stats().queue_items["det"] == 2
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    assert predictor.stats().queue_items["det"] == 0
    network.let_go()
    await first
    await predictor.close()
    assert len(network.shapes) == 1


async def test_the_calls_deadline_is_the_schedulers() -> None:
    versions = Versions()
    versions.activate(version("1", (DET, REC)))
    predictor = LocalPredictor(versions, Scheduler())
    with pytest.raises(DeadlineExceeded):
        await OcrModel(DET, predictor).predict(page(call=Call(deadline=time.monotonic())))
    await predictor.close()
