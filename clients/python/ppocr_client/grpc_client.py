"""Clients over V2 gRPC: image bytes in, text out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Unpack

import grpc
import grpc.aio

from ppocr_api import oip
from ppocr_api.document import Page
from ppocr_api.error_mapping import RETRY_AFTER, from_grpc
from ppocr_api.errors import PpocrError
from ppocr_client.attempts import Attempts
from ppocr_client.closing import AsyncClosing, Closing
from ppocr_client.images import Image, ReadParameters, content
from ppocr_client.many import read_many, read_many_async
from ppocr_client.tensors import pages_of, request_of

_OPTIONS = [
    # The service says what is too large.
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # Without this, all calls of one channel go to one of several addresses.
    ("grpc.service_config", '{"loadBalancingConfig": [{"round_robin": {}}]}'),
]


class _Calls:
    """What both clients share: `_grpc` is `grpc` or `grpc.aio`, which make their channels alike."""

    _grpc: ClassVar[Any]

    def __init__(
        self,
        target: str,
        *,
        timeout: float = 60.0,
        retries: int = 3,
        model: str = "ppocr",
        headers: Mapping[str, str] | None = None,
        tls: bool = False,
        certificate: bytes | None = None,
    ) -> None:
        self._timeout, self._retries, self._model = timeout, retries, model
        self._metadata = tuple((name.lower(), value) for name, value in (headers or {}).items())
        if tls or certificate is not None:
            self._channel = self._grpc.secure_channel(target, grpc.ssl_channel_credentials(certificate), _OPTIONS)
        else:
            self._channel = self._grpc.insecure_channel(target, _OPTIONS)
        self._infer = oip.unary(self._channel, "ModelInfer")
        self._ready = oip.unary(self._channel, "ModelReady")

    def _attempts(self) -> Attempts:
        return Attempts(self._timeout, self._retries)

    def _is_ready(self) -> Any:
        request = oip.ModelReadyRequest(name=self._model)
        return self._ready(request, timeout=self._timeout, metadata=self._metadata)


class GrpcClient(_Calls, Closing):
    """Reads images through a service's gRPC port; can be shared by threads.

    `target` is `host:port`, or `dns:///name:port` for a headless Service. `tls` uses the system's roots, or
    `certificate` (PEM) if one is given. `timeout`, `retries` and `headers` (metadata here) are those of `Client`.
    """

    _grpc = grpc

    def read(self, image: Image, **parameters: Unpack[ReadParameters]) -> Page:
        """The text of one image. Raises only errors of `ppocr_api.errors`."""
        return self.read_batch([image], **parameters)[0]

    def read_batch(self, images: Sequence[Image], **parameters: Unpack[ReadParameters]) -> list[Page]:
        """The texts of several images that travel in one request; one bad image fails all of them."""
        request = request_of(self._model, [content(image) for image in images], parameters)
        attempts = self._attempts()
        while True:
            try:
                return pages_of(self._infer(request, timeout=attempts.remaining(), metadata=self._metadata))
            except grpc.RpcError as error:
                pause = attempts.wait(_failed(error))
            time.sleep(pause)

    def read_many(
        self, images: Iterable[Image], concurrency: int = 4, **parameters: Unpack[ReadParameters]
    ) -> Iterator[Page | PpocrError]:
        """As `Client.read_many`."""
        return read_many(partial(self.read, **parameters), images, concurrency)

    def ready(self) -> bool:
        """Whether a prediction would be accepted now."""
        try:
            return bool(self._is_ready().ready)
        except grpc.RpcError:
            return False

    def close(self) -> None:
        self._channel.close()


class AsyncGrpcClient(_Calls, AsyncClosing):
    """`GrpcClient` for asyncio; cancelling `read` also cancels the work in the service. Create it inside a running loop."""

    _grpc = grpc.aio

    async def read(self, image: Image, **parameters: Unpack[ReadParameters]) -> Page:
        """The text of one image. Raises only errors of `ppocr_api.errors`."""
        return (await self.read_batch([image], **parameters))[0]

    async def read_batch(self, images: Sequence[Image], **parameters: Unpack[ReadParameters]) -> list[Page]:
        """As `GrpcClient.read_batch`."""
        files = await asyncio.to_thread(lambda: [content(image) for image in images])
        request = request_of(self._model, files, parameters)
        attempts = self._attempts()
        while True:
            try:
                return pages_of(await self._infer(request, timeout=attempts.remaining(), metadata=self._metadata))
            except grpc.RpcError as error:
                pause = attempts.wait(_failed(error))
            await asyncio.sleep(pause)

    def read_many(
        self,
        images: Iterable[Image] | AsyncIterable[Image],
        concurrency: int = 4,
        **parameters: Unpack[ReadParameters],
    ) -> AsyncIterator[Page | PpocrError]:
        """As `AsyncClient.read_many`."""
        return read_many_async(partial(self.read, **parameters), images, concurrency)

    async def ready(self) -> bool:
        """Whether a prediction would be accepted now."""
        try:
            return bool((await self._is_ready()).ready)
        except grpc.RpcError:
            return False

    async def close(self) -> None:
        await self._channel.close()


def _failed(error: Any) -> PpocrError:
    trailing = dict(error.trailing_metadata() or ())
    return from_grpc(error.code().name, error.details() or "the service gave no reason", trailing.get(RETRY_AFTER))
