"""Limits on streaming calls: who may open one, how many may be open, and the memory of their messages."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import Any, Final

import grpc
from grpc import aio

from ppocr_api.errors import Overloaded
from ppocr_limits.budget import Budget, Claim
from ppocr_limits.messages import Arrivals

#: From an error to a call's code, details and trailing metadata.
Status = Callable[[Exception], tuple[Any, str, Any]]
#: Streams of one method that are open at a time. Each ends with its connection, which lives for a request's time limit.
MAX_STREAMS: Final = 100


class OpenStreams:
    """`let_in` raises Unauthorized for a call of a method whose caller may not. `arrivals` is what all messages come through."""

    def __init__(self, let_in: Callable[[str, Any], None], arrivals: Arrivals, budget: Budget, status: Status) -> None:
        self._let_in = let_in
        self._arrivals = arrivals
        self._budget = budget
        self._status = status
        self._open: Counter[str] = Counter()

    def bounded(self, method: str, handler: grpc.RpcMethodHandler) -> grpc.RpcMethodHandler:
        """`handler` of a stream, within the bounds. One message that opens a stream of answers is read here, too: on the wire it
        looks the same, and gRPC would read all of it before anybody is asked."""

        async def answers(_: AsyncIterator[bytes], context: Any) -> AsyncIterator[Any]:
            failed = None
            try:
                self._let_in(method, context)
                with self._counted(method), Claim(self._budget) as claim:
                    if handler.request_streaming:
                        stream = handler.stream_stream(self._arriving(context), context)
                    else:
                        stream = handler.unary_stream(await self._arrivals.message(context.read, claim), context)
                    async with aclosing(stream):
                        async for answer in stream:
                            yield answer
            except aio.AbortError:
                raise
            except Exception as error:
                failed = self._status(error)
            if failed is not None:
                # Here and not where it was caught: gRPC keeps what this raises, with all frames on its way.
                stream = answer = None
                code, details, metadata = failed
                context.set_trailing_metadata(metadata)
                await context.abort(code, details)

        return grpc.stream_stream_rpc_method_handler(answers, response_serializer=handler.response_serializer)

    @contextmanager
    def _counted(self, method: str) -> Iterator[None]:
        if self._open[method] >= MAX_STREAMS:
            raise Overloaded(f"{MAX_STREAMS} streams of {method} are open already", retry_after=60)
        self._open[method] += 1
        try:
            yield
        finally:
            self._open[method] -= 1

    async def _arriving(self, context: Any) -> AsyncIterator[bytes]:
        while True:
            raw = await self._arrivals.next_message(context.read)
            if raw is aio.EOF:
                return
            yield raw
            del raw  # it may be large, and the next one may come late
