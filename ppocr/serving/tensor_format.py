"""V2 tensors for models that take a TensorRequest and give a TensorResponse: over REST, its binary extension, and gRPC."""

from __future__ import annotations

import dataclasses

from ppocr import oip
from ppocr.serving import v2_grpc, v2_rest
from ppocr.serving.declaration import BINARY, OBJECT, Body, Declaration, Path
from ppocr.serving.tensors import Expected, TensorRequest, TensorResponse
from ppocr.serving.wire import Infer, WireAnswer, WireFormat, WireRequest
from ppocr_grpc.methods import GrpcMethod

MODEL = "/v2/models/{model_name}"
STREAM = "ModelStreamInfer"
VERSION = f"{MODEL}/versions/{{model_version}}"


def declare(name: str, text: str, summary: str, body: Body, answer: Body, line: str = "") -> Declaration:
    """V2's inference paths, with `body` and `answer` as what JSON looks like there, and `line` as a command that works."""
    bodies = (body, Body("application/octet-stream", BINARY))
    answers = (answer, Body("application/octet-stream", BINARY))
    return Declaration(
        name,
        text,
        paths=(
            Path(f"{MODEL}/infer", summary, ("POST",), bodies, answers=answers, line=line),
            Path(
                f"{VERSION}/infer",
                f"{summary}, with that version; 404 if it doesn't exist",
                ("POST",),
                bodies,
                answers=answers,
                line=line,
            ),
        ),
        grpc=(
            GrpcMethod(oip.SERVICE, "ModelInfer", summary, oip.ModelInferRequest, oip.ModelInferResponse),
            GrpcMethod(
                oip.SERVICE,
                STREAM,
                f"{summary}, as a stream of requests",
                oip.ModelInferRequest,
                oip.ModelStreamInferResponse,
                stream="both",
            ),
        ),
        extensions=("binary_tensor_data", "parameters"),
    )


def decode(request: WireRequest, expected: Expected = None) -> TensorRequest:
    """The tensors of a request over either protocol. Its call knows the version from here on."""
    if request.message is not None:
        tensors = v2_grpc.from_grpc(request.message, expected)
    else:
        name, version = request.path["model_name"], request.path.get("model_version", "")
        tensors = v2_rest.decode(request.body, request.headers, name, version, expected)
    request.call.version = tensors.model_version or None
    return dataclasses.replace(tensors, call=request.call)


def encode(request: WireRequest, tensors: TensorRequest, response: TensorResponse) -> WireAnswer:
    """The answer over the request's own protocol."""
    if request.message is not None:
        return WireAnswer(message=v2_grpc.to_grpc(response))
    body, headers = v2_rest.encode(response, tensors)
    return WireAnswer(body, headers=headers)


class TensorFormat(WireFormat):
    """The whole of V2 inference, for the predictor's networks."""

    @property
    def declaration(self) -> Declaration:
        return _DECLARATION

    def takes(self, request: WireRequest) -> bool:
        """Any content type: clients send tensors with many different ones."""
        return True

    async def answer(self, request: WireRequest, infer: Infer) -> WireAnswer:
        tensors = await request.parsed(decode)
        return encode(request, tensors, await infer(tensors))


_DECLARATION = declare(
    "tensors",
    "V2 tensors in and out of a network. As JSON, with the binary extension (`Inference-Header-Content-Length`), or over gRPC.",
    "run a network on tensors",
    Body("application/json", OBJECT),
    Body("application/json", OBJECT),
)
