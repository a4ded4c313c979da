"""A client over V2 gRPC: image bytes in, text out, all tensors raw."""

from __future__ import annotations

import itertools
import json
import struct
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

import grpc

from ppocr_api import oip
from ppocr_api.document import Line, Page, Point, Points, Word
from ppocr_api.error_mapping import RETRY_AFTER, from_grpc
from ppocr_api.errors import PpocrError
from ppocr_client.attempts import Attempts
from ppocr_client.images import Image, ReadParameters, content

T = TypeVar("T")

_OPTIONS = [
    # The service says what is too large.
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # Without this, all calls of one channel go to one of several addresses.
    ("grpc.service_config", '{"loadBalancingConfig": [{"round_robin": {}}]}'),
]


class GrpcClient:
    """Reads images through a service's gRPC port; threads may share one.

    `target` is `host:port`, or `dns:///name:port` for a headless Service. `tls` uses the system's roots, or
    `certificate` (PEM) where one is given. `timeout`, `retries` and `headers` (metadata here) are those of `Client`.
    """

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
            self._channel = grpc.secure_channel(target, grpc.ssl_channel_credentials(certificate), _OPTIONS)
        else:
            self._channel = grpc.insecure_channel(target, _OPTIONS)
        self._infer = oip.unary(self._channel, "ModelInfer")
        self._ready = oip.unary(self._channel, "ModelReady")

    def read(self, image: Image, **parameters: Unpack[ReadParameters]) -> Page:
        """The text of one image. Raises only errors of `ppocr_api.errors`."""
        return self.read_batch([image], **parameters)[0]

    def read_batch(self, images: Sequence[Image], **parameters: Unpack[ReadParameters]) -> list[Page]:
        """The texts of several images that travel in one request; one bad image fails all of them."""
        request = _request(self._model, [content(image) for image in images], parameters)
        attempts = Attempts(self._timeout, self._retries)
        while True:
            try:
                return _pages(self._infer(request, timeout=attempts.remaining(), metadata=self._metadata))
            except grpc.RpcError as error:
                pause = attempts.wait(_failed(error))
            time.sleep(pause)

    def ready(self) -> bool:
        """Whether a prediction would be accepted now."""
        try:
            request = oip.ModelReadyRequest(name=self._model)
            return bool(self._ready(request, timeout=self._timeout, metadata=self._metadata).ready)
        except grpc.RpcError:
            return False

    def close(self) -> None:
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _request(model: str, images: list[bytes], parameters: ReadParameters) -> Any:
    request = oip.ModelInferRequest(model_name=model)
    for name, value in parameters.items():
        if value is not None:
            request.parameters[name].CopyFrom(oip.parameter(value))  # type: ignore[arg-type]
    request.inputs.add(name="image", datatype="BYTES", shape=[len(images)])
    request.raw_input_contents.append(oip.pack_bytes(images))
    return request


def _failed(error: Any) -> PpocrError:
    trailing = dict(error.trailing_metadata() or ())
    return from_grpc(error.code().name, error.details() or "the service gave no reason", trailing.get(RETRY_AFTER))


def _pages(response: Any) -> list[Page]:
    """Cuts the response's flat tensors into one page per image. Raises PpocrError where they don't fit together."""
    try:
        names = [tensor.name for tensor in response.outputs]
        raw = dict(zip(names, response.raw_output_contents, strict=True))
        lines = [Line(*line) for line in _quads(raw["text"], raw["confidence"], raw["points"])]
        if "word" in raw:
            words = [Word(*word) for word in _quads(raw["word"], raw["word_confidence"], raw["word_points"])]
            cut = zip(lines, _cut(words, raw["word_count"]), strict=True)
            lines = [replace(line, words=own) for line, own in cut]
        if "line_angle" in raw:
            turned = zip(lines, _numbers("f", raw["line_angle"]), strict=True)
            lines = [replace(line, angle=angle) for line, angle in turned]
        sizes = list(zip(*[iter(_numbers("i", raw["size"]))] * 2, strict=True))
        angles = _numbers("i", raw["angle"]) if "angle" in raw else [0] * len(sizes)
        models = _models(response.parameters, len(sizes))
        warned = response.parameters["warnings"].string_param
        warnings = [tuple(each) for each in json.loads(warned)] if warned else [()] * len(sizes)
        return [
            Page(own, width, height, model, angle, warnings=warning)
            for own, (width, height), angle, model, warning in zip(
                _cut(lines, raw["count"]), sizes, angles, models, warnings, strict=True
            )
        ]
    except (KeyError, ValueError, struct.error) as error:
        raise PpocrError(f"the answer's tensors don't fit together: {error}") from error


def _models(parameters: Any, images: int) -> list[str]:
    """What read each image: all the same, or after a change of the model between two of them one for each."""
    if "models" in parameters:
        return list(parameters["models"].string_param.split(","))
    return [parameters["model"].string_param] * images


def _quads(texts: bytes, confidences: bytes, points: bytes) -> list[tuple[str, float, Points]]:
    """Raw BYTES [L], FP32 [L] and FP32 [L,4,2] as L triples."""
    corners: Iterator[Point] = zip(*[iter(_numbers("f", points))] * 2, strict=True)
    quads: Iterator[Points] = zip(*[corners] * 4, strict=True)
    decoded = (item.decode() for item in oip.unpack_bytes(texts))
    return list(zip(decoded, _numbers("f", confidences), quads, strict=True))


def _cut(items: Sequence[T], counts: bytes) -> list[tuple[T, ...]]:
    """`items` in runs of raw INT32 `counts`, which must use them up."""
    lengths = _numbers("i", counts)
    if sum(lengths) != len(items) or min(lengths, default=0) < 0:
        raise ValueError(f"{len(items)} elements, and counts of {sum(lengths)}")
    each = iter(items)
    return [tuple(itertools.islice(each, length)) for length in lengths]


def _numbers(kind: str, raw: bytes) -> tuple[Any, ...]:
    """Raw FP32 ("f") or INT32 ("i") as Python numbers."""
    return struct.unpack(f"<{len(raw) // 4}{kind}", raw)
