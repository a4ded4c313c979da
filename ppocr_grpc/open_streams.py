"""Limits on streaming calls: who may open one, how many may be open, and the memory of their messages.

When all are open, the stream that has been idle for longest is ended: a client that opens streams and leaves them idle doesn't
keep others from opening theirs.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import Any, Final

import grpc
from grpc import aio

from ppocr_api.errors import Overloaded
from ppocr_limits.budget import Budget, Claim
from ppocr_limits.messages import Arrivals
from ppocr_limits.places import SLOW_SECONDS, Places
from ppocr_limits.waiting_call import WaitingCall

#: From an error to a call's code, details and trailing metadata.
Status = Callable[[Exception], tuple[Any, str, Any]]
#: Streams of one method that are open at a time. Each ends with its connection, which lives for a request's time limit.
MAX_STREAMS: Final = 100


class OpenStreams:
    """`authorize` raises Unauthorized for a call that needs a key and has none. All messages come through `arrivals`."""

    def __init__(
        self, authorize: Callable[[str, Any], None], arrivals: Arrivals, budget: Budget, status: Status
    ) -> None:
        self._authorize = authorize
        self._arrivals = arrivals
        self._budget = budget
        self._status = status
        self._open: Counter[str] = Counter()
        self._places: dict[str, Places] = defaultdict(Places)

    def bounded(self, method: str, handler: grpc.RpcMethodHandler) -> grpc.RpcMethodHandler:
        """`handler` of a stream, within the bounds. One message that opens a stream of answers is read here, too: on the wire it
        looks the same, and gRPC would read all of it before anybody is asked."""

        async def answers(_: AsyncIterator[bytes], context: Any) -> AsyncIterator[Any]:
            failed = None
            try:
                self._authorize(method, context)
                with self._counted(method) as place, Claim(self._budget) as claim:
                    if handler.request_streaming:
                        stream = handler.stream_stream(self._arriving(context, place), context)
                    else:
                        stream = handler.unary_stream(await self._arrivals.message(context.read, claim), context)
                    async with aclosing(stream):
                        while (answer := await place.next_answer(stream)) is not None:
                            yield answer
                            place.was_sent()
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
    def _counted(self, method: str) -> Iterator[_Place]:
        places = self._places[method]
        if self._open[method] >= MAX_STREAMS and not places.free_one():
            raise Overloaded(f"{MAX_STREAMS} streams of {method} are open already", retry_after=SLOW_SECONDS)
        place = _Place(places)
        self._open[method] += 1
        try:
            yield place
        finally:
            self._open[method] -= 1
            places.leaves(place)

    async def _arriving(self, context: Any, place: _Place) -> AsyncIterator[bytes]:
        while True:
            raw = await self._arrivals.next_message(context.read)
            if raw is aio.EOF:
                return
            place.message_came()
            yield raw
            del raw  # it may be large, and the next one may come late


class _Place(WaitingCall):
    """The place of one stream. It is idle while all of its messages are answered, and while its client doesn't read an answer."""

    def __init__(self, places: Places) -> None:
        super().__init__()
        self._places = places
        self._unanswered = 0
        self._sending = False
        places.arrives(self)

    def message_came(self) -> None:
        self._unanswered += 1
        if not self._sending:
            self._places.works(self)

    async def next_answer(self, stream: AsyncIterator[Any]) -> Any:
        """None at the end; another one is sent from now on. Raises Overloaded if the stream was ended for another."""
        coming = asyncio.ensure_future(anext(stream, None))
        answer = await self.wait(coming, "nothing happened on the stream, and others wait for its place")
        self._sending = True
        self._places.works(self)  # idle from now on, and not from before
        self._places.arrives(self)
        return answer

    def was_sent(self) -> None:
        self._unanswered, self._sending = max(self._unanswered - 1, 0), False
        self._places.works(self)
        if not self._unanswered:
            self._places.arrives(self)
