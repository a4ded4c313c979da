"""gRPC calls that are streams: those of the server itself (health, reflection), and V2's stream of inference requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import grpc
from grpc import aio

from ppocr_api import oip
from ppocr_api.errors import PayloadTooLarge, PpocrError
from ppocr_grpc.methods import GrpcMethod, parsed
from ppocr_limits.wire_fields import text_field

#: Requests of one inference stream in progress at the same time; the next one is read when the first of them is answered.
MAX_CONCURRENT: Final = 4
#: Maximum size of a request for health or reflection, in bytes.
MAX_QUESTION: Final = 64 << 10
_ID: Final = oip.ModelInferRequest.DESCRIPTOR.fields_by_name["id"].number

#: Returns the answer to the bytes of one message of an inference stream, or an error. The error isn't raised, because its
#: traceback would keep the message in memory.
One = Callable[[bytes, Any], Awaitable[tuple[Any, PpocrError | None]]]


def stream_handler(method: GrpcMethod, answer: Callable[[Any, Any], AsyncIterator[Any]]) -> grpc.RpcMethodHandler:
    """The handler of a stream: `answer` is given the request, or an iterator of requests, and gRPC's context.

    Errors of the tree go through: `OpenStreams` makes statuses of them.
    """

    async def answers(raw: Any, context: Any) -> AsyncIterator[Any]:
        request = _all_parsed(method, raw) if method.stream == "both" else _small(method, raw)
        del raw
        async for message in answer(request, context):
            yield message

    make = grpc.stream_stream_rpc_method_handler if method.stream == "both" else grpc.unary_stream_rpc_method_handler
    return make(answers, response_serializer=method.response.SerializeToString)


async def _all_parsed(method: GrpcMethod, raws: AsyncIterator[bytes]) -> AsyncIterator[Any]:
    async for raw in raws:
        yield _small(method, raw)
        del raw


def _small(method: GrpcMethod, raw: bytes) -> Any:
    """The message in `raw`. Raises PayloadTooLarge: health and reflection are asked with a name."""
    if raw is not aio.EOF and len(raw) > MAX_QUESTION:
        raise PayloadTooLarge(f"{method.method}'s request has {len(raw)} bytes; the maximum is {MAX_QUESTION}")
    return parsed(method, raw)


def absent_handler(sentence: str) -> grpc.RpcMethodHandler:
    """The handler for unknown methods, unary or streaming."""

    async def refuse(_: Any, context: Any) -> AsyncIterator[Any]:
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, sentence)
        yield b""

    return grpc.stream_stream_rpc_method_handler(refuse)


class InferStream:
    """ModelStreamInfer: each request is answered like a ModelInfer of its own, in the order in which they came.

    An error is the answer to its request, and the stream continues. If the client leaves, all that was started for it is dropped;
    if the service stops, no more requests are read, and those that were are answered.
    """

    def __init__(self, one: One, stopping: asyncio.Event) -> None:
        self._one = one
        self._stopping = stopping

    def handler(self, method: GrpcMethod) -> grpc.RpcMethodHandler:
        return grpc.stream_stream_rpc_method_handler(
            self._answers, response_serializer=method.response.SerializeToString
        )

    async def _answers(self, raws: AsyncIterator[bytes], context: Any) -> AsyncIterator[Any]:
        waiting: asyncio.Queue[asyncio.Task[Any] | None] = asyncio.Queue()
        free = asyncio.Semaphore(MAX_CONCURRENT)
        reader = asyncio.create_task(self._read(raws, context, waiting, free))
        stopped = asyncio.create_task(self._stopping.wait())
        stopped.add_done_callback(lambda _: reader.cancel())
        begun: asyncio.Task[Any] | None = None
        try:
            while (begun := await waiting.get()) is not None:
                yield await begun
                free.release()
            await asyncio.wait((reader,))
            if not reader.cancelled():
                reader.result()  # why nothing more was read
        finally:
            left = [waiting.get_nowait() for _ in range(waiting.qsize())]
            tasks = [task for task in (reader, stopped, begun, *left) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(
        self,
        raws: AsyncIterator[bytes],
        context: Any,
        waiting: asyncio.Queue[asyncio.Task[Any] | None],
        free: asyncio.Semaphore,
    ) -> None:
        try:
            await free.acquire()
            async for raw in raws:
                waiting.put_nowait(asyncio.create_task(self._answer(raw, context)))
                del raw  # it may be large, and the next one may come late
                await free.acquire()
        finally:
            waiting.put_nowait(None)

    async def _answer(self, raw: bytes, context: Any) -> Any:
        response, error = await self._one(raw, context)
        if error is None:
            return oip.ModelStreamInferResponse(infer_response=response)
        # The message isn't parsed for its id: it may be too large for that, or be what was refused.
        said = oip.ModelInferResponse(id=text_field(raw, _ID))
        return oip.ModelStreamInferResponse(error_message=error.message, infer_response=said)
