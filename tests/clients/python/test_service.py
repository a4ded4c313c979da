"""The clients against the real service."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ppocr_api.errors import InvalidRequest, PpocrError
from ppocr_client import AsyncClient, AsyncGrpcClient, Client, GrpcClient, Image, Page
from tests.services import Service, free_port

DATA = sorted((Path(__file__).parents[2] / "data").glob("*.jpg"))
TITLE = "LIAN HING STATIONERY SDN BHD"


def test_ready(service: Service) -> None:
    with Client(service.url) as client, GrpcClient(service.grpc) as by_grpc:
        assert client.ready()
        assert by_grpc.ready()
    with Client(f"http://127.0.0.1:{free_port()}") as nobody:
        assert not nobody.ready()


def test_every_client_reads_the_same(service: Service) -> None:
    async def by_asyncio() -> Page:
        async with AsyncClient(service.url) as client:
            return await client.read(DATA[0], return_word_box=True)

    async def by_asyncio_over_grpc() -> Page:
        async with AsyncGrpcClient(service.grpc) as client:
            assert await client.ready()
            return await client.read(DATA[0], return_word_box=True)

    with Client(service.url) as client, GrpcClient(service.grpc) as by_grpc:
        over_http = client.read(DATA[0], return_word_box=True)
        over_grpc = by_grpc.read(DATA[0], return_word_box=True)
    assert TITLE in over_http.text.splitlines()
    assert asyncio.run(by_asyncio()) == over_http
    assert asyncio.run(by_asyncio_over_grpc()) == over_grpc
    assert over_grpc.text == over_http.text
    assert (over_grpc.width, over_grpc.height, over_grpc.model) == (over_http.width, over_http.height, over_http.model)
    for ours, theirs in zip(over_grpc.lines, over_http.lines, strict=True):
        assert ours.confidence == pytest.approx(theirs.confidence, abs=1e-4)
        assert ours.points == tuple(pytest.approx(point) for point in theirs.points)
        assert ours.words is not None and theirs.words is not None
        assert [word.text for word in ours.words] == [word.text for word in theirs.words]


def test_many_keep_their_order_and_one_bad_image_fails_alone(service: Service) -> None:
    images: list[Image] = [*DATA, b"not an image", DATA[0]]

    async def by_asyncio() -> list[list[Page | PpocrError]]:
        async with AsyncClient(service.url) as client, AsyncGrpcClient(service.grpc) as by_grpc:
            return [[page async for page in each.read_many(images, concurrency=3)] for each in (client, by_grpc)]

    with Client(service.url) as client, GrpcClient(service.grpc) as by_grpc:
        in_threads = [list(each.read_many(iter(images), concurrency=3)) for each in (client, by_grpc)]
    for found in (*in_threads, *asyncio.run(by_asyncio())):
        bad = found.pop(len(DATA))
        assert isinstance(bad, InvalidRequest)
        texts = [page.text for page in found if isinstance(page, Page)]
        assert texts[0] == texts[-1]
        assert TITLE in texts[0].splitlines()
        assert len(set(texts)) == len(DATA)


def test_a_batch_over_grpc(service: Service) -> None:
    with GrpcClient(service.grpc) as client:
        batch = client.read_batch(DATA)
        assert [page.text for page in batch] == [client.read(path).text for path in DATA]


def test_what_the_service_refuses_is_its_own_sentence(service: Service) -> None:
    with Client(service.url) as client, GrpcClient(service.grpc) as by_grpc:
        for one in (client, by_grpc):
            with pytest.raises(InvalidRequest, match="text_det_thresh must be a number from 0 to 1"):
                one.read(DATA[0], text_det_thresh=7.0)
