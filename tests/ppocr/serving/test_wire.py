"""A format with answers and errors of its own goes through all that the other formats go through, over HTTP and gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from ppocr import oip, telemetry
from ppocr.serving.rest import RestServer
from tests.ppocr.serving.toy import Toy, fail, forever, refuse, servers, started

ACTS = {"fail": fail, "refuse": refuse, "forever": forever}
TEXT = {"content-type": "text/plain"}


@asynccontextmanager
async def client(rest: RestServer) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=rest.config.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://toy") as known:
        yield known


def answered(route: str, code: str) -> float:
    """How many requests the metrics count."""
    return float(telemetry.REQUESTS.labels(route, code)._value.get())


@pytest.mark.parametrize(
    ("body", "headers", "answer"),
    [
        (b"up", TEXT, {"code": 0, "said": "UP"}),
        (b"", TEXT, {"code": 400, "op": "x"}),
        (b"refuse", TEXT, {"code": 400, "op": "x"}),
        (b"fail", TEXT, {"code": 500, "op": "x"}),
        (b"up", {"content-type": "image/png"}, {"code": 415, "op": "x"}),
        # What the guard refuses before the format sees it.
        (b"a" * 101, TEXT, {"code": 413, "op": "x"}),
        (b"forever", TEXT, {"code": 504, "op": "x"}),
        (b"up", {**TEXT, "x-request-timeout-ms": "soon"}, {"code": 400, "op": "x"}),
        (b"up", {**TEXT, "x-request-timeout-ms": "inf"}, {"code": 400, "op": "x"}),
    ],
)
async def test_every_answer_has_the_formats_own_form(
    body: bytes, headers: dict[str, str], answer: dict[str, Any]
) -> None:
    _, rest, _ = servers(ACTS, Toy())
    code = str(answer["code"] or 200)  # the metrics see an error inside a 200
    before = answered("/toy/{op}", code)
    async with client(rest) as http:
        response = await http.post("/toy/x", content=body, headers=headers)
    assert (response.status_code, response.json()) == (200, answer)
    assert response.headers["x-ppocr-track"] == "a"
    assert answered("/toy/{op}", code) == before + 1


async def test_other_routes_keep_theirs() -> None:
    _, rest, _ = servers({}, Toy())
    async with client(rest) as http:
        unknown = await http.post("/toys", content=b"up")
        wrong = await http.get("/toy/x")
    assert (unknown.status_code, set(unknown.json())) == (404, {"error"})
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")


async def test_a_long_path_is_no_long_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    _, rest, _ = servers(ACTS, Toy())
    caplog.set_level("INFO", "ppocr.access")
    async with client(rest) as http:
        assert (await http.get("/" + "a" * 60_000)).status_code == 404
    (line,) = [record.getMessage() for record in caplog.records if record.name == "ppocr.access"]
    assert "/aaaa" in line and len(line) < 500


async def test_what_was_not_expected_is_logged_once_and_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    _, rest, _ = servers(ACTS, Toy())
    async with client(rest) as http:
        response = await http.post("/toy/x", content=b"fail", headers=TEXT)
    assert "detail" not in response.text
    assert len([record for record in caplog.records if record.exc_info]) == 1


async def test_the_model_gets_the_call_and_its_cancellation() -> None:
    model, rest, _ = servers(ACTS, Toy())
    async with client(rest) as http:
        await http.post("/toy/x", content=b"up", headers=TEXT)
        await http.post("/toy/x", content=b"forever", headers=TEXT)
        await http.post("/toy/x", content=b"refuse", headers=TEXT)
    done, late, refused = model.calls
    assert (done.route, done.cancelled) == ("/toy/{op}", False)
    assert done.deadline is not None
    assert late.cancelled
    assert refused.cancelled


async def test_a_client_that_leaves_cancels_the_call() -> None:
    model, rest, _ = servers(ACTS, Toy())
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/toy/x",
        "query_string": b"",
        "headers": [(b"content-type", b"text/plain")],
    }
    begun = asyncio.Event()
    messages = [{"type": "http.request", "body": b"forever"}]

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        begun.set()
        while not model.calls:  # until the model has the request
            await asyncio.sleep(0)
        return {"type": "http.disconnect"}

    async def send(_: Any) -> None:
        raise AssertionError("nobody is there to hear it")

    await rest.config.app(scope, receive, send)
    assert begun.is_set()
    assert model.calls[0].cancelled


async def test_grpc_answers_in_the_formats_messages_or_with_a_status(tmp_path: Path) -> None:
    address = f"unix:{tmp_path}/grpc"
    model, _, server = servers(ACTS, Toy(), address=address)
    codes = {}
    async with started(server, address) as channel:
        say = channel.unary_unary(
            "/toy.Toy/Say", oip.ModelReadyRequest.SerializeToString, oip.ModelReadyResponse.FromString
        )
        assert (await say(oip.ModelReadyRequest(name="up"))).ready
        for text in ("", "refuse", "fail", "forever"):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await say(oip.ModelReadyRequest(name=text))
            codes[text] = caught.value.code().name
            assert "detail" not in (caught.value.details() or "")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary("/toy.Toy/Shout")(b"")
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert codes == {
        "": "INVALID_ARGUMENT",
        "refuse": "INVALID_ARGUMENT",
        "fail": "INTERNAL",
        "forever": "DEADLINE_EXCEEDED",
    }
    assert [call.cancelled for call in model.calls] == [False, True, True, True]
    assert {call.route for call in model.calls} == {"grpc:Say"}


async def test_a_grpc_client_that_leaves_cancels_the_call(tmp_path: Path) -> None:
    address = f"unix:{tmp_path}/grpc"
    begun, dropped = asyncio.Event(), asyncio.Event()

    async def wait(call: Any) -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            dropped.set()
        raise AssertionError

    model, _, server = servers({"wait": wait}, Toy(), address=address)
    async with started(server, address) as channel:
        say = channel.unary_unary(
            "/toy.Toy/Say", oip.ModelReadyRequest.SerializeToString, oip.ModelReadyResponse.FromString
        )
        running = say(oip.ModelReadyRequest(name="wait"))
        await begun.wait()
        running.cancel()
        await dropped.wait()
    assert model.calls[0].cancelled


@pytest.mark.parametrize(("own", "level"), [(None, ["ERROR"]), (100, []), (10_000, ["ERROR"])])
async def test_only_the_services_own_time_limit_is_an_error_in_its_log(
    own: int | None, level: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    _, rest, _ = servers(ACTS, Toy())
    headers = TEXT if own is None else {**TEXT, "x-request-timeout-ms": str(own)}
    async with client(rest) as http:
        response = await http.post("/toy/x", content=b"forever", headers=headers)
    assert response.json()["code"] == 504
    assert [record.levelname for record in caplog.records if record.name == "ppocr.serving"] == level


@pytest.mark.parametrize(("own", "level"), [(None, ["ERROR"]), (0.1, []), (10, ["ERROR"])])
async def test_only_the_services_own_time_limit_is_an_error_over_grpc(
    own: float | None, level: list[str], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    address = f"unix:{tmp_path}/grpc"
    _, _, server = servers(ACTS, Toy(), address=address)
    async with started(server, address, grace=1) as channel:
        say = channel.unary_unary(
            "/toy.Toy/Say", oip.ModelReadyRequest.SerializeToString, oip.ModelReadyResponse.FromString
        )
        with pytest.raises(grpc.aio.AioRpcError):
            await say(oip.ModelReadyRequest(name="forever"), timeout=own)
    assert [record.levelname for record in caplog.records if record.name == "ppocr.serving"] == level
