"""`GrpcClient` and `AsyncGrpcClient` against servers that misbehave in known ways."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from typing import Any, TypeAlias

import grpc
import pytest

from ppocr_api import errors, oip
from ppocr_client import AsyncGrpcClient, GrpcClient, Page
from tests.clients.scripted import GrpcAnswer, over_grpc

Read: TypeAlias = Callable[..., Page]
BUSY = GrpcAnswer(code=grpc.StatusCode.RESOURCE_EXHAUSTED, sentence="full", trailing=(("retry-after", "0"),))


def response(texts: list[bytes], counts: list[int], **changed: bytes) -> Any:
    raw = {
        "text": oip.pack_bytes(texts),
        "confidence": struct.pack(f"<{len(texts)}f", *[0.5] * len(texts)),
        "points": struct.pack(f"<{8 * len(texts)}f", *range(8 * len(texts))),
        "count": struct.pack(f"<{len(counts)}i", *counts),
        "size": struct.pack(f"<{2 * len(counts)}i", *[100, 50] * len(counts)),
    } | changed
    message = oip.ModelInferResponse(model_name="ppocr", model_version="1")
    message.parameters["model"].string_param = "m/1"
    for name, content in raw.items():
        message.outputs.add(name=name)
        message.raw_output_contents.append(content)
    return message


def read_sync(target: str, **options: Any) -> Page:
    with GrpcClient(target, **options) as client:
        return client.read(b"x")


def read_async(target: str, **options: Any) -> Page:
    async def run() -> Page:
        async with AsyncGrpcClient(target, **options) as client:
            return await client.read(b"x")

    return asyncio.run(run())


@pytest.fixture(params=[read_sync, read_async], ids=["GrpcClient", "AsyncGrpcClient"])
def read(request: pytest.FixtureRequest) -> Read:
    chosen: Read = request.param
    return chosen


def test_tensors_and_parameters_of_a_request() -> None:
    with over_grpc(GrpcAnswer(response([b"one"], [1]))) as (target, asked), GrpcClient(target) as client:
        (line,) = client.read(
            b"image", text_det_thresh=0.25, text_det_limit_side_len=960, text_det_box_thresh=None
        ).lines
    (request,) = asked
    assert request.model_name == "ppocr"
    assert (request.inputs[0].name, request.inputs[0].datatype, list(request.inputs[0].shape)) == (
        "image",
        "BYTES",
        [1],
    )
    assert oip.unpack_bytes(request.raw_input_contents[0]) == [b"image"]
    assert request.parameters["text_det_thresh"].string_param == "0.25"
    assert request.parameters["text_det_limit_side_len"].int64_param == 960
    assert "text_det_box_thresh" not in request.parameters
    assert line.points == ((0, 1), (2, 3), (4, 5), (6, 7))


def test_a_batch_is_cut_by_its_counts() -> None:
    answer = GrpcAnswer(response([b"one", b"two", "drei €".encode()], [2, 0, 1]))
    with over_grpc(answer) as (target, _), GrpcClient(target) as client:
        pages = client.read_batch([b"a", b"b", b"c"])
    assert [page.text for page in pages] == ["one\ntwo", "", "drei €"]
    assert {(page.width, page.height, page.model) for page in pages} == {(100, 50, "m/1")}


def test_words_belong_to_their_lines() -> None:
    words = {
        "word": oip.pack_bytes([b"a", b"b", b"c"]),
        "word_confidence": struct.pack("<3f", 0.25, 0.5, 0.75),
        "word_points": struct.pack("<24f", *range(24)),
        "word_count": struct.pack("<2i", 1, 2),
    }
    with over_grpc(GrpcAnswer(response([b"a", b"b c"], [2], **words))) as (target, _), GrpcClient(target) as client:
        first, second = client.read(b"x", return_word_box=True).lines
    assert first.words is not None and second.words is not None
    assert [word.text for word in first.words] == ["a"]
    assert [(word.text, word.confidence, word.points[0]) for word in second.words] == [
        ("b", 0.5, (8, 9)),
        ("c", 0.75, (16, 17)),
    ]


def test_angles_belong_to_their_pages_and_lines() -> None:
    angles = {"angle": struct.pack("<2i", 90, 0), "line_angle": struct.pack("<3f", 0, 180, 0)}
    answer = GrpcAnswer(response([b"one", b"two", b"three"], [2, 1], **angles))
    with over_grpc(answer) as (target, asked), GrpcClient(target) as client:
        pages = client.read_batch([b"a", b"b"], use_doc_orientation_classify=True, use_textline_orientation=True)
    assert [(page.angle, [line.angle for line in page.lines]) for page in pages] == [(90, [0, 180]), (0, [0])]
    assert asked[0].parameters["use_textline_orientation"].bool_param is True


def test_each_page_names_what_read_it_where_the_model_changed_between_them() -> None:
    message = response([b"one", b"two"], [1, 1])
    del message.parameters["model"]
    message.parameters["models"].string_param = "m/1,m/2"
    with over_grpc(GrpcAnswer(message)) as (target, _), GrpcClient(target) as client:
        assert [page.model for page in client.read_batch([b"a", b"b"])] == ["m/1", "m/2"]
    message.parameters["models"].string_param = "m/1"
    broken = pytest.raises(errors.PpocrError, match="don't fit together")
    with over_grpc(GrpcAnswer(message)) as (target, _), GrpcClient(target) as client, broken:
        client.read_batch([b"a", b"b"])


def test_turned_away_twice_then_read(read: Read) -> None:
    with over_grpc(BUSY, BUSY, GrpcAnswer(response([b"one"], [1]))) as (target, asked):
        assert read(target).text == "one"
    assert len(asked) == 3


def test_turned_away_too_often(read: Read) -> None:
    with over_grpc(BUSY, BUSY) as (target, asked), pytest.raises(errors.Overloaded, match=r"^full$"):
        read(target, retries=1)
    assert len(asked) == 2


def test_no_wait_past_the_timeout(read: Read) -> None:
    later = GrpcAnswer(code=grpc.StatusCode.UNAVAILABLE, sentence="draining", trailing=(("retry-after", "30"),))
    with over_grpc(later) as (target, asked), pytest.raises(errors.Unavailable, match=r"^draining$") as refused:
        read(target, timeout=10)
    assert refused.value.retry_after == 30
    assert len(asked) == 1


def test_a_wrong_request_is_not_sent_again(read: Read) -> None:
    wrong = GrpcAnswer(code=grpc.StatusCode.INVALID_ARGUMENT, sentence="not an image")
    refused = pytest.raises(errors.InvalidRequest, match=r"^not an image$")
    with over_grpc(wrong) as (target, asked), refused:
        read(target)
    assert len(asked) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"text": b"\xff"},
        {"count": struct.pack("<i", 7)},
        {"points": b"\x00" * 31},
        {"confidence": b""},
        {"size": b""},
        {"angle": b""},
        {"line_angle": struct.pack("<2f", 0, 0)},
    ],
)
def test_tensors_that_do_not_fit_together(changed: dict[str, bytes]) -> None:
    answer = GrpcAnswer(response([b"one"], [1], **changed))
    refused = pytest.raises(errors.PpocrError, match="don't fit together")
    with over_grpc(answer) as (target, _), GrpcClient(target) as client, refused:
        client.read(b"x")


def test_no_server(read: Read) -> None:
    with pytest.raises(errors.Unavailable):
        read("127.0.0.1:9", retries=0, timeout=5)


async def test_nobody_is_ready_where_there_is_no_server() -> None:
    async with AsyncGrpcClient("127.0.0.1:9", timeout=5) as client:
        assert await client.ready() is False
    with GrpcClient("127.0.0.1:9", timeout=5) as by_thread:
        assert by_thread.ready() is False
