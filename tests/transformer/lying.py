"""A predictor that answers what a test wants, over real gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from grpc import aio, method_handlers_generic_handler, unary_unary_rpc_method_handler
from numpy.typing import NDArray

from ppocr import oip
from ppocr.contract import FACTS_PARAMETER, IDENTITY_PARAMETER, LINE_ORIENTATION, PAGE_ORIENTATION, BundleFacts
from ppocr.facts_json import facts_to_json
from ppocr.serving.tensors import NAMES, TensorResponse
from ppocr.serving.v2_grpc import from_grpc, to_grpc
from tests.networks import DET, orientation, rec
from tests.services import free_port

CHARACTERS = ("", *"abcdefghij")
FACTS = BundleFacts("lying", "1", (DET, rec(*CHARACTERS)), "0123456789ab")
PAGE, LINE = PAGE_ORIENTATION, LINE_ORIENTATION
#: The same with networks for both orientations.
ORIENTED = BundleFacts(
    "lying",
    "1",
    (
        orientation(PAGE, ("0", "90", "180", "270"), 224, 224, fit="crop", short_side=256),
        DET,
        orientation(LINE, ("0", "180"), 80, 160, fit="pad", fill=127),
        rec(*CHARACTERS),
    ),
    "0123456789ab",
)
Outputs = dict[str, NDArray[Any]]
#: Changes what an honest predictor would answer: to other outputs, or to a message.
Change = Callable[[Outputs], Any]


def unchanged(outputs: Outputs) -> Any:
    return outputs


class Liar:
    """Finds two lines on every page, upright ones, and reads `a` at every fourth step; `det`, `rec` and `orientation` change
    the answers."""

    def __init__(self) -> None:
        self.det: Change = unchanged
        self.rec: Change = unchanged
        self.orientation: Change = unchanged
        self.facts = facts_to_json(FACTS)
        self.identity = FACTS.identity
        self.fail: Callable[[Any], Awaitable[None]] | None = None
        self.fail_facts: Callable[[Any, Any], Awaitable[None]] | None = None
        self.asked = 0
        self.asked_for: list[str] = []  # the networks whose facts were asked for

    async def infer(self, message: Any, context: Any) -> Any:
        self.asked += 1
        if self.fail is not None:
            await self.fail(context)
        inputs = from_grpc(message).inputs
        if message.model_name in (PAGE, LINE):
            count = len(next(iter(inputs.values())))
            upright = {"label": np.zeros(count, np.int32), "probability": np.full(count, 0.9, np.float32)}
            answer = self.orientation(upright)
        elif message.model_name == "det":
            found = np.zeros(inputs["image"].shape[:3], np.uint8)
            found[:, 10:20, 10:60] = found[:, 40:50, 10:60] = 255
            answer = self.det({"probability": found})
        else:
            steps = (inputs["widths"] // 8).astype(np.int32)
            ids = np.zeros(int(steps.sum()), np.int32)
            ids[::4] = 1
            answer = self.rec({"ids": ids, "probabilities": np.full(len(ids), 0.9, np.float32), "steps": steps})
        if not isinstance(answer, dict):
            return answer
        known = {name: array for name, array in answer.items() if array.dtype in NAMES}
        parameters = {IDENTITY_PARAMETER: self.identity} if self.identity else {}
        return to_grpc(TensorResponse(message.model_name, known, "1", parameters=parameters))

    async def metadata(self, message: Any, context: Any) -> Any:
        self.asked_for.append(message.name)
        if self.fail_facts is not None:
            await self.fail_facts(message, context)
        answer = oip.ModelMetadataResponse(name=message.name)
        if self.facts:
            answer.parameters[FACTS_PARAMETER].string_param = self.facts
        return answer

    async def ready(self, message: Any, context: Any) -> Any:
        return oip.ServerReadyResponse(ready=True)


@asynccontextmanager
async def served(liar: Liar, port: int = 0) -> AsyncIterator[str]:
    """The address at which it answers."""
    port = port or free_port()
    server = aio.server()
    methods = {"ModelInfer": liar.infer, "ModelMetadata": liar.metadata, "ServerReady": liar.ready}
    handlers = {
        name: unary_unary_rpc_method_handler(
            answer,
            request_deserializer=oip.METHODS[name][0].FromString,
            response_serializer=oip.METHODS[name][1].SerializeToString,
        )
        for name, answer in methods.items()
    }
    server.add_generic_rpc_handlers((method_handlers_generic_handler(oip.SERVICE, handlers),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)
