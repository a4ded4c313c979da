"""What a call does while no predictor can be reached."""

from __future__ import annotations

import asyncio
import time

import grpc
import numpy as np
import pytest
from grpc import aio

from ppocr.contract import Items
from ppocr_api.errors import PpocrError, Unavailable
from tests.networks import DET
from tests.services import free_port
from transformer.predictor_client import RECONNECT_SECONDS, PredictorClient, target

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
    channel = client._channel
    async with asyncio.timeout(30):
        while (state := channel.get_state(try_to_connect=True)) is not grpc.ChannelConnectivity.TRANSIENT_FAILURE:
            await channel.wait_for_state_change(state)
    server = aio.server()
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    # It has no methods: an answer that is no Unavailable shows that it was asked.
    with pytest.raises(PpocrError, match="the predictor failed"):
        await call
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
