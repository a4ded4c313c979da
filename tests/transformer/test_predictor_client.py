"""What a call does while no predictor can be reached, and when one dies or falls silent under it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import numpy as np
import pytest
from grpc import aio

from ppocr.contract import Items
from ppocr_api.errors import PpocrError, Unavailable
from tests.networks import DET
from tests.services import free_port
from tests.transformer.lying import Liar, served
from transformer.predictor_channel import target
from transformer.predictor_client import RECONNECT_SECONDS, PredictorClient

PAGE = Items(np.zeros(32 * 32 * 3, np.uint8), np.array([[32, 32]], np.int32))


def client_of(host: str, port: int) -> PredictorClient:
    """A client that knows already which networks there are."""
    client = PredictorClient(target(host, port))
    client._networks["det"] = DET
    return client


async def test_a_call_waits_for_a_predictor_that_comes() -> None:
    port = free_port()
    client = client_of("127.0.0.1", port)
    call = asyncio.create_task(client.run("det", PAGE, deadline=time.monotonic() + 30))
    channel = client._channels.current()
    async with asyncio.timeout(30):
        while (state := channel.get_state(try_to_connect=True)) is not grpc.ChannelConnectivity.TRANSIENT_FAILURE:
            await channel.wait_for_state_change(state)
    server = aio.server()
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    try:
        # It has no methods: an answer that is no Unavailable shows that it was asked.
        with pytest.raises(PpocrError, match="the predictor failed"):
            await call
    finally:
        await client.close()
        await server.stop(None)


@pytest.mark.parametrize("host", ["127.0.0.1", "predictor.invalid"])
async def test_without_any_it_fails_in_time(host: str) -> None:
    client = client_of(host, free_port())
    began = time.monotonic()
    with pytest.raises(Unavailable) as refused:
        await client.run("det", PAGE, deadline=time.monotonic() + 30)
    took = time.monotonic() - began
    assert RECONNECT_SECONDS - 0.5 <= took < RECONNECT_SECONDS + 5
    assert refused.value.retry_after
    await client.close()


async def test_a_deadline_ends_the_wait() -> None:
    client = client_of("127.0.0.1", free_port())
    began = time.monotonic()
    with pytest.raises(PpocrError):
        await client.run("det", PAGE, deadline=time.monotonic() + 0.5)
    assert time.monotonic() - began < 3
    await client.close()


class Line:
    """A connection to a server that a test can cut, or let fall silent as when a node vanishes."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._flows = asyncio.Event()
        self._flows.set()
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self.port = free_port()

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Line]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        try:
            yield self
        finally:
            self._closed = True
            server.close()
            self.cut()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await asyncio.sleep(0.1)

    def cut(self) -> None:
        """Ends all connections at once, as a process that is killed does."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def hold(self) -> None:
        """Nothing comes through, either way, and nobody is told: for good as when a node vanishes, or until it goes on."""
        self._flows.clear()

    def go_on(self) -> None:
        self._flows.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.append(writer)
        try:
            if not self._closed:
                there, back = await asyncio.open_connection("127.0.0.1", self._to)
                self._writers.append(back)
                await asyncio.gather(self._pump(reader, back), self._pump(there, writer), return_exceptions=True)
        except asyncio.CancelledError:
            pass  # the end of the test
        finally:
            writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            await self._flows.wait()
            writer.write(data)
            await writer.drain()
        writer.close()


class Slow(Liar):
    """Answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.go, self.began = asyncio.Event(), asyncio.Event()

    async def infer(self, message: object, context: object) -> object:
        self.began.set()
        await self.go.wait()
        return await super().infer(message, context)


def deadline(seconds: float = 60) -> float:
    return time.monotonic() + seconds


async def test_a_call_whose_predictor_is_killed_is_asked_once_more() -> None:
    predictor = Slow()
    async with served(predictor) as address, Line(int(address.rpartition(":")[2])).open() as line:
        client = client_of("127.0.0.1", line.port)
        call = asyncio.create_task(client.run("det", PAGE, deadline=deadline()))
        await predictor.began.wait()
        predictor.go.set()
        line.cut()
        assert len((await call).counts) == 1
        await client.close()


async def test_a_call_that_kills_every_predictor_is_given_up() -> None:
    """What it carries may be what kills them."""
    predictor = Slow()
    async with served(predictor) as address, Line(int(address.rpartition(":")[2])).open() as line:
        client = client_of("127.0.0.1", line.port)
        call = asyncio.create_task(client.run("det", PAGE, deadline=deadline()))
        for _ in range(2):
            await predictor.began.wait()
            predictor.began.clear()
            line.cut()
        with pytest.raises(Unavailable):
            await call
        await client.close()


async def test_a_predictor_that_falls_silent_costs_15_seconds_at_most_where_there_is_another() -> None:
    silent, other = Slow(), Liar()
    async with (
        served(silent) as first,
        served(other) as second,
        Line(int(first.rpartition(":")[2])).open() as line,
    ):
        client = client_of(f"ipv4:127.0.0.1:{line.port},{second}", 0)
        calls = []
        async with asyncio.timeout(60):
            while not silent.began.is_set():  # calls go to it once it is connected
                calls.append(asyncio.create_task(client.run("det", PAGE, deadline=deadline())))
                await asyncio.sleep(0.05)
        line.hold()
        began = time.monotonic()
        answers = await asyncio.gather(*calls)
        assert time.monotonic() - began < 15
        assert len(answers) == len(calls)
        await client.close()


async def test_delays_and_resets_cost_bounded_time_and_leave_no_files_open() -> None:
    """Every call is answered, or fails soon; then the next one is answered, and no descriptor is left of the connections."""
    predictor = Liar()
    async with served(predictor) as address, Line(int(address.rpartition(":")[2])).open() as line:
        client = client_of("127.0.0.1", line.port)
        await client.run("det", PAGE, deadline=deadline())
        files = len(list(Path("/proc/self/fd").iterdir()))
        began = time.monotonic()
        for _ in range(5):
            line.hold()
            call = asyncio.create_task(client.run("det", PAGE, deadline=deadline()))
            await asyncio.sleep(0.1)
            line.go_on()
            assert len((await call).counts) == 1
            call = asyncio.create_task(client.run("det", PAGE, deadline=deadline()))
            await asyncio.sleep(0)
            line.cut()
            with contextlib.suppress(Unavailable):
                await call
            await client.run("det", PAGE, deadline=deadline())
        assert time.monotonic() - began < 30
        assert len(list(Path("/proc/self/fd").iterdir())) <= files + 2
        await client.close()
