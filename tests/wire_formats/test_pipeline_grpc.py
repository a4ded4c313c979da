"""The recorded calls of the pipeline over gRPC: the same status, `err_no`, keys and kind of value."""

from __future__ import annotations

import ast
import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from tests.wire_formats.conftest import Front
from transformer.routes import pdserving_messages_pb2 as messages
from transformer.routes.pdserving import SERVICE

METHOD = f"/{SERVICE}/inference"
#: What the service answers otherwise, and why.
ON_PURPOSE = {
    "raw_image_bytes_in_value": ("INVALID_ARGUMENT", None, "the caller's error has a caller's code"),
    "reflection": ("OK", None, "server reflection is served"),
    "tensor_bytes_npsave_object": ("OK", 8000, "a pickle is never loaded"),
}


@pytest.fixture(scope="module")
def channel(front: Front) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(front.pipeline_grpc) as channel:
        yield channel


def test_every_recorded_call(channel: grpc.Channel, cases: Path) -> None:
    seen = 0
    for line in (cases / "pipeline_grpc.jsonl").read_text("utf8").splitlines():
        case = json.loads(line)
        name, request, recorded = case["name"], case["request"], case["response"]
        code, answer = call(
            channel,
            request["method"],
            base64.b64decode(request["body_b64"]),
            request.get("timeout_s"),
            metadata(request),
        )
        expected = recorded["code"]
        err_no = recorded.get("message", {}).get("err_no", 0)
        if name in ON_PURPOSE:
            expected, err_no, _ = ON_PURPOSE[name]
        assert code == expected, name
        if answer is not None and err_no is not None:
            assert answer.err_no == err_no, f"{name}: {answer.err_no} {answer.err_msg}"
            assert list(answer.key) == recorded["message"]["key"] or name in ON_PURPOSE, name
            assert not answer.tensors
            for value, before in zip(answer.value, recorded["message"]["value"], strict=True):
                assert kind(ast.literal_eval(value)) == kind(ast.literal_eval(before)), name
        seen += 1
    assert seen == 36


def test_an_image_has_the_text_that_v1_reads(front: Front, channel: grpc.Channel, receipt: bytes) -> None:
    image = base64.b64encode(receipt).decode()
    request = messages.Request(key=["image", "pipeline.profile"], value=[image, "1"])
    code, answer = call(channel, METHOD, request.SerializeToString())
    assert code == "OK"
    assert list(answer.key) == ["result", "pipeline.profile"]
    v1 = httpx.post(
        f"{front.service.url}/v1/models/ppocr:predict", json={"instances": [{"b64": image}]}, timeout=60
    ).json()
    assert [text for (text, _), _ in ast.literal_eval(answer.value[0])] == [
        line["text"] for line in v1["predictions"][0]["lines"]
    ]
    assert answer.value[1].startswith("\nPROFILE\tpid:")
    assert "detect_0:" in answer.value[1]
    assert "recognise_1:" in answer.value[1]


def test_the_services_own_grpc_port_answers_it_too(front: Front) -> None:
    with grpc.insecure_channel(front.service.grpc) as channel:
        code, answer = call(channel, METHOD, b"")
    assert (code, answer.err_no) == ("OK", 10000)


def call(
    channel: grpc.Channel, method: str, body: bytes, timeout: float | None = None, metadata: Any = None
) -> tuple[str, Any]:
    """The code, and the answer's message where it is OK."""
    ask = channel.unary_unary(method, response_deserializer=messages.Response.FromString)
    try:
        return "OK", ask(body, timeout=timeout or 60, metadata=metadata)
    except grpc.RpcError as error:
        return error.code().name, None  # type: ignore[attr-defined]


def metadata(request: Any) -> Any:
    return [tuple(pair) for pair in request.get("metadata", [])]


def kind(value: Any) -> Any:
    """What a client sees of a value's form: containers and types, the first element standing for all."""
    if isinstance(value, list | tuple):
        return type(value).__name__, kind(value[0]) if value and not isinstance(value, tuple) else [
            kind(v) for v in value
        ]
    return type(value).__name__
