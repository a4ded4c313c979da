"""Client of the predictor over gRPC: one channel spreads calls over all pods; deadlines and errors are passed on."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any, NoReturn

import grpc
from grpc import aio

import ppocr_tracing
from ppocr import oip, telemetry
from ppocr.contract import (
    FACTS_PARAMETER,
    NO_SUCH_VERSION,
    NOTHING_LOADED,
    SHARE_PARAMETER,
    Answer,
    BundleFacts,
    Items,
    NetworkFacts,
)
from ppocr.facts_json import facts_from_json
from ppocr.listen import MessageSettings
from ppocr.serving import tensors
from ppocr_api.error_mapping import RETRY_AFTER, from_grpc
from ppocr_api.errors import (
    BadAnswer,
    BundleError,
    DeadlineExceeded,
    InvalidRequest,
    NotFound,
    Overloaded,
    PayloadTooLarge,
    PpocrError,
    Unavailable,
)
from transformer.network_tensors import answer_of, inputs_of
from transformer.predictor_channel import Channels, PredictorTls

log = logging.getLogger("ppocr.transformer")

#: How long a call waits if no predictor can be reached: the last pod may have stopped before the next one is known.
#: A crashed predictor is restarted in the same place within about five seconds.
RECONNECT_SECONDS = 10.0
#: gRPC's messages (of round_robin and the resolver) if there was no connection for a call. Nothing else
#: distinguishes this from a connection that broke during a call, which may have been computed.
_NOT_SENT = (
    "connections to all backends failing",
    "failed to connect to all addresses",
    "empty address list",
    "DNS resolution",
    "errors resolving",
)
#: How long gRPC may take to notice that a connection is broken, after a call on it was lost [seconds]. Until then the next call
#: would be lost too.
LOST_SECONDS = 0.2
READY_SECONDS = 2.0
#: V2 models to request facts from; the first that exists is used. Complete bundles have the first one.
NETWORKS = ("rec", "det", "line_orientation", "page_orientation")
#: Maximum size of a message without its arrays: names, shapes, versions.
MESSAGE_OVERHEAD_BYTES = 4096
ATTEMPTS = 3
#: Maximum Retry-After that is accepted from a predictor [seconds].
MAX_RETRY_AFTER = 60.0


class _NoSuchVersion(NotFound):
    """The predictor doesn't have the version, for any of its networks."""


class PredictorClient:
    """Implements `ppocr.contract.Predictor` over gRPC."""

    def __init__(
        self,
        address: str,
        max_message_bytes: int = MessageSettings.max_message_bytes,
        tls: PredictorTls | None = None,
    ) -> None:
        self._max_message_bytes = max_message_bytes
        self._channels = Channels(address, max_message_bytes, tls or PredictorTls())
        #: The wire form of a network's tensors depends on its grid, which is the same in all versions.
        self._networks: dict[str, NetworkFacts] = {}
        self._asked_last = NETWORKS[0]  # the network that answered for facts

    async def facts(self, version: str | None = None) -> BundleFacts:
        answer = await self._metadata(version)
        if FACTS_PARAMETER not in answer.parameters:
            raise Unavailable("the predictor's answer has no model facts: is it a ppocr predictor?")
        try:
            facts = facts_from_json(answer.parameters[FACTS_PARAMETER].string_param)
        except BundleError as error:
            raise BadAnswer(f"the predictor's facts are wrong: {error}") from error
        self._networks |= {network.name: network for network in facts.networks}
        if version is None:
            telemetry.replace_series(telemetry.BUNDLE, [(facts.name, facts.version)])
        return facts

    async def _metadata(self, version: str | None) -> Any:
        """The metadata of any network of `version`; each has the facts of all networks."""
        deadline = time.monotonic() + READY_SECONDS
        for network in sorted(NETWORKS, key=lambda name: name != self._asked_last):
            request = oip.ModelMetadataRequest(name=network, version=version or "")
            try:
                answer = await self._call("ModelMetadata", request, deadline)
            except _NoSuchVersion:
                break
            except NotFound:
                continue
            self._asked_last = network
            return answer
        if version is None:
            raise InvalidRequest(f"the predictor's bundle has none of the networks {', '.join(NETWORKS)}")
        raise NotFound(f"the model has no version {version[:100]!r}")

    async def run(
        self, network: str, items: Items, *, version: str | None = None, deadline: float | None = None, share: str = ""
    ) -> Answer:
        if network not in self._networks:
            await self.facts(version)
        known = self._networks.get(network)
        if known is None:
            raise NotFound(f"the predictor has no network {network!r}")
        inputs = inputs_of(known, items)
        self._check_size(*inputs.values())
        request = tensors.request_to_grpc(network, inputs, version or "")
        if share:
            request.parameters[SHARE_PARAMETER].string_param = share
        return answer_of(known, items, await self._call("ModelInfer", request, deadline))

    async def ready(self) -> bool:
        try:
            answer = await self._call("ServerReady", oip.ServerReadyRequest(), time.monotonic() + READY_SECONDS)
        except PpocrError:
            return False
        return bool(answer.ready)

    async def close(self) -> None:
        await self._channels.close()

    def _check_size(self, *arrays: tensors.Array) -> None:
        """Checks the message size before anything is copied or sent. Raises PayloadTooLarge."""
        needed = sum(array.nbytes for array in arrays) + MESSAGE_OVERHEAD_BYTES
        if needed > self._max_message_bytes:
            raise PayloadTooLarge(
                f"the image needs a message of {needed} bytes to the predictor, and max_message_bytes allows "
                f"{self._max_message_bytes}"
            )

    async def _call(self, method: str, request: Any, deadline: float | None) -> Any:
        attempts, lost, patience = ATTEMPTS, 0, None
        while True:
            timeout = None if deadline is None else max(deadline - time.monotonic(), 0.001)
            try:
                call = oip.unary(self._channels.current(), method)
                return await call(request, timeout=timeout, metadata=ppocr_tracing.outgoing())
            except aio.AioRpcError as error:
                if _was_not_sent(error):
                    patience = patience or time.monotonic() + RECONNECT_SECONDS
                    if not await self._connected(patience if deadline is None else min(patience, deadline)):
                        _raise(error)
                    continue
                patience = None
                attempts -= 1
                lost += _was_lost(error)
                again = _nothing_was_computed(error) or _connection_was_renewed(error) or _was_lost(error)
                if not attempts or not again or lost > 1:
                    _raise(error)
                if _was_lost(error):
                    await asyncio.sleep(LOST_SECONDS)

    async def _connected(self, until: float) -> bool:
        """Whether a predictor was reached before the instant `until`."""
        try:
            async with asyncio.timeout(until - time.monotonic()):
                await asyncio.sleep(0.02)  # the channel may still be reported as ready
                channel = self._channels.current()
                while (state := channel.get_state(try_to_connect=True)) is not grpc.ChannelConnectivity.READY:
                    await channel.wait_for_state_change(state)
        except TimeoutError:
            return False
        return time.monotonic() < until


def _raise(error: aio.AioRpcError) -> NoReturn:
    """Converts a predictor's error to an error for the caller. The messages of the predictor and of gRPC are only logged, because
    they may contain addresses or, from a foreign predictor, anything."""
    code, details = error.code().name, error.details() or ""
    known = from_grpc(code, details, dict(error.trailing_metadata() or ()).get(RETRY_AFTER))
    if isinstance(known, PayloadTooLarge):
        raise PayloadTooLarge(
            "the image needs a larger message than the predictor's max_message_bytes allows"
        ) from error
    if isinstance(known, DeadlineExceeded):
        raise DeadlineExceeded("the predictor did not answer within the request's time limit") from error
    log.log(
        logging.INFO if isinstance(known, NotFound | Overloaded) else logging.WARNING,
        "the predictor answered %s: %s",
        code,
        details[:500],
    )
    if isinstance(known, NotFound) and code == NotFound.grpc:
        kind = _NoSuchVersion if details.startswith(NO_SUCH_VERSION) else NotFound
        raise kind("the predictor has no such version of the model, or no such network") from error
    if isinstance(known, Overloaded):
        raise Overloaded("the predictor's queue is full", min(known.retry_after or 1.0, MAX_RETRY_AFTER)) from error
    if isinstance(known, Unavailable):
        seconds = min(known.retry_after or 1.0, MAX_RETRY_AFTER)
        nothing = details == NOTHING_LOADED
        raise Unavailable(
            "the predictor has no model loaded" if nothing else "the predictor can't be reached", seconds
        ) from error
    if isinstance(known, InvalidRequest):
        raise BadAnswer("the predictor refused what it was asked") from error
    raise PpocrError("the predictor failed") from error


def _was_not_sent(error: aio.AioRpcError) -> bool:
    return error.code() is grpc.StatusCode.UNAVAILABLE and (error.details() or "").startswith(_NOT_SENT)


def _connection_was_renewed(error: aio.AioRpcError) -> bool:
    """Whether the predictor had announced the end of the connection, as it does every few seconds, and the connection broke
    before the answer arrived, as can happen on a busy machine. Such a call can be repeated safely."""
    return error.code() is grpc.StatusCode.UNAVAILABLE and "GOAWAY received" in (error.details() or "")


def _was_lost(error: aio.AioRpcError) -> bool:
    """Whether the connection broke during the call or timed out: an error of gRPC itself, without a predictor's
    Retry-After."""
    by_predictor = any(key == RETRY_AFTER for key, _ in error.trailing_metadata() or ())
    return error.code() is grpc.StatusCode.UNAVAILABLE and not by_predictor and not _connection_was_renewed(error)


def _nothing_was_computed(error: aio.AioRpcError) -> bool:
    """Whether the predictor itself refused the call: it is draining or not ready, or doesn't have the requested version while
    pods are being replaced one by one. The next pod may answer."""
    if error.code() is grpc.StatusCode.NOT_FOUND:
        return True
    by_predictor = any(key == RETRY_AFTER for key, _ in error.trailing_metadata() or ())
    return by_predictor and error.code() is grpc.StatusCode.UNAVAILABLE
