"""The predictor behind gRPC: one channel that spreads calls over all its pods, deadlines passed on, errors kept."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import Any, NoReturn

import grpc
from grpc import aio

from ppocr import network_wire, oip, telemetry
from ppocr.contract import FACTS_PARAMETER, Answer, BundleFacts, Items, NetworkFacts
from ppocr.facts_json import facts_from_json
from ppocr.listen import MessageSettings
from ppocr.serving import tensors
from ppocr_api.error_mapping import RETRY_AFTER, from_grpc
from ppocr_api.errors import (
    DeadlineExceeded,
    NotFound,
    Overloaded,
    PayloadTooLarge,
    PpocrError,
    RequestError,
    Unavailable,
)

log = logging.getLogger("ppocr.transformer")

# UNAVAILABLE of a call that never left this process or was refused by a server that is going away is retried by gRPC
# itself ("transparent retries"); one whose predictor says that nothing was computed is retried below. Other calls may have
# been computed, and aren't repeated. RESOURCE_EXHAUSTED isn't retried either: the client has Retry-After.
_SERVICE_CONFIG = json.dumps(
    {
        "loadBalancingConfig": [{"round_robin": {}}],
        "methodConfig": [{"name": [{"service": oip.SERVICE}], "waitForReady": False}],
    }
)
_OPTIONS = (
    ("grpc.service_config", _SERVICE_CONFIG),
    # A predictor is a neighbour: a proxy for the way out (http_proxy, https_proxy) doesn't lead to it.
    ("grpc.enable_http_proxy", 0),
    ("grpc.enable_retries", 1),
    # A pod that vanished without a word is noticed in 20 s, not after the kernel's 15 minutes.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    # The predictor ends connections every few seconds, so that its name is looked up again: new pods are found by that.
    ("grpc.dns_min_time_between_resolutions_ms", 1_000),
)
#: How long a call waits for a predictor where none can be reached: the last pod may have stopped before the next one is known.
RECONNECT_SECONDS = 5.0
#: How gRPC says that there was no connection to send a call on (round_robin's and the resolver's status). Nothing else
#: distinguishes it from a connection that broke under a call, which may have been computed.
_NOT_SENT = (
    "connections to all backends failing",
    "failed to connect to all addresses",
    "empty address list",
    "DNS resolution",
    "errors resolving",
)
READY_SECONDS = 2.0
#: The V2 model that is asked for facts. Predictors of all releases have it.
ANY_NETWORK = "rec"
#: What a message has besides its arrays, at most: names, shapes, versions.
MESSAGE_OVERHEAD_BYTES = 4096
ATTEMPTS = 3


def target(host: str, port: int) -> str:
    """gRPC's name of the predictor: `dns:///` so that all pods of a headless Service are found."""
    if host.startswith(("unix:", "dns:", "ipv4:", "ipv6:")):
        return host
    return f"dns:///{host}" if ":" in host else f"dns:///{host}:{port}"


class PredictorClient:
    """`ppocr.contract.Predictor` over the network."""

    def __init__(self, address: str, max_message_bytes: int = MessageSettings.max_message_bytes) -> None:
        self._max_message_bytes = max_message_bytes
        limits = [(f"grpc.max_{way}_message_length", max_message_bytes) for way in ("send", "receive")]
        self._channel = aio.insecure_channel(address, options=(*_OPTIONS, *limits))
        self._infer = oip.unary(self._channel, "ModelInfer")
        self._metadata = oip.unary(self._channel, "ModelMetadata")
        self._ready = oip.unary(self._channel, "ServerReady")
        #: How tensors of a network look on the wire follows from its grid, which versions don't change.
        self._networks: dict[str, NetworkFacts] = {}

    async def facts(self, version: str | None = None) -> BundleFacts:
        request = oip.ModelMetadataRequest(name=ANY_NETWORK, version=version or "")
        answer = await self._call(self._metadata, request, time.monotonic() + READY_SECONDS)
        if FACTS_PARAMETER not in answer.parameters:
            raise Unavailable("the predictor's answer has no model facts: is it a ppocr predictor?")
        facts = facts_from_json(answer.parameters[FACTS_PARAMETER].string_param)
        self._networks |= {network.name: network for network in facts.networks}
        if version is None:
            telemetry.replace_series(telemetry.BUNDLE, [(facts.name, facts.version)])
        return facts

    async def run(
        self, network: str, items: Items, *, version: str | None = None, deadline: float | None = None
    ) -> Answer:
        if network not in self._networks:
            await self.facts(version)
        known = self._networks.get(network)
        if known is None:
            raise NotFound(f"the predictor has no network {network!r}")
        inputs = network_wire.inputs_of(known, items)
        self._check_size(*inputs.values())
        request = tensors.request_to_grpc(network, inputs, version or "")
        answer = tensors.response_from_grpc(await self._call(self._infer, request, deadline))
        return network_wire.answer_of(known, items, answer)

    async def ready(self) -> bool:
        try:
            answer = await self._call(self._ready, oip.ServerReadyRequest(), time.monotonic() + READY_SECONDS)
        except PpocrError:
            return False
        return bool(answer.ready)

    async def close(self) -> None:
        await self._channel.close()

    def _check_size(self, *arrays: tensors.Array) -> None:
        """Before anything is copied or sent. Raises PayloadTooLarge."""
        needed = sum(array.nbytes for array in arrays) + MESSAGE_OVERHEAD_BYTES
        if needed > self._max_message_bytes:
            raise PayloadTooLarge(
                f"the image needs a message of {needed} bytes to the predictor, and max_message_bytes allows "
                f"{self._max_message_bytes}"
            )

    async def _call(self, method: Any, request: Any, deadline: float | None) -> Any:
        attempts, patience = ATTEMPTS, time.monotonic() + RECONNECT_SECONDS
        while True:
            timeout = None if deadline is None else max(deadline - time.monotonic(), 0.001)
            try:
                return await method(request, timeout=timeout)
            except aio.AioRpcError as error:
                if _was_not_sent(error):
                    if not await self._connected(patience if deadline is None else min(patience, deadline)):
                        _raise(error)
                    continue
                attempts -= 1
                if not attempts or not (_nothing_was_computed(error) or _connection_was_renewed(error)):
                    _raise(error)

    async def _connected(self, until: float) -> bool:
        """Whether a predictor was reached before the instant `until`."""
        try:
            async with asyncio.timeout(until - time.monotonic()):
                while (state := self._channel.get_state(try_to_connect=True)) is not grpc.ChannelConnectivity.READY:
                    await self._channel.wait_for_state_change(state)
        except TimeoutError:
            return False
        return time.monotonic() < until


def _raise(error: aio.AioRpcError) -> NoReturn:
    """The predictor's error as the caller's. gRPC's own messages name addresses: they go only to the log."""
    code, details = error.code().name, error.details() or ""
    known = from_grpc(code, details, dict(error.trailing_metadata() or ()).get(RETRY_AFTER))
    if isinstance(known, PayloadTooLarge):
        raise PayloadTooLarge(
            "the image needs a larger message than the predictor's max_message_bytes allows"
        ) from error
    if code != "UNIMPLEMENTED" and isinstance(known, RequestError | Overloaded):
        raise known from error
    if isinstance(known, DeadlineExceeded):
        raise DeadlineExceeded("the predictor did not answer within the request's time limit") from error
    log.warning("the predictor failed: %s %s", code, details)
    if isinstance(known, Unavailable):
        raise Unavailable("the predictor can't be reached", known.retry_after or 1.0) from error
    raise PpocrError("the predictor failed") from error


def _was_not_sent(error: aio.AioRpcError) -> bool:
    return error.code() is grpc.StatusCode.UNAVAILABLE and (error.details() or "").startswith(_NOT_SENT)


def _connection_was_renewed(error: aio.AioRpcError) -> bool:
    """Whether the predictor had announced the end of the connection, as it does every few seconds, and it broke before the
    answer was here: on a busy machine the answer may lose that race. Reading again changes nothing but the time."""
    return error.code() is grpc.StatusCode.UNAVAILABLE and "GOAWAY received" in (error.details() or "")


def _nothing_was_computed(error: aio.AioRpcError) -> bool:
    """Whether a predictor answered so itself: it is draining or not ready, or hasn't the version that was asked for while its
    pods change over one by one. The next pod in turn may answer."""
    if error.code() is grpc.StatusCode.NOT_FOUND:
        return True
    by_predictor = any(key == RETRY_AFTER for key, _ in error.trailing_metadata() or ())
    return by_predictor and error.code() is grpc.StatusCode.UNAVAILABLE
