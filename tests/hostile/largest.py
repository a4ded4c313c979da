"""The largest requests that are permitted, of each kind, and how a gRPC one of them is asked."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import cv2
import grpc
import numpy as np
import orjson

from ppocr import oip
from tests.hostile.asking import IMAGE, JSON, V1, V2
from transformer.routes import pdserving_messages_pb2 as pipeline

#: Requests at once.
COUNT = 20


@cache
def file_of_many_bytes() -> bytes:
    """A PNG of 62 MB, which hardly compresses."""
    pixels = np.random.default_rng(0).integers(0, 256, (4540, 4540, 3), np.uint8)
    png: bytes = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 0])[1].tobytes()
    return png


@cache
def file_of_many_pixels() -> bytes:
    """A progressive JPEG of 64 million pixels with lines of text: the costliest to decode."""
    page = np.full((8000, 8000, 3), 255, np.uint8)
    for top in range(200, 8000, 200):
        cv2.putText(page, f"LINE {top} OF A LARGE PAGE " * 8, (40, top), cv2.FONT_HERSHEY_SIMPLEX, 3, (0, 0, 0), 8)
    jpeg: bytes = cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    return jpeg


def text_of(file: bytes) -> str:
    return base64.b64encode(file).decode()


def form(file: bytes) -> bytes:
    return b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n' + file + b"\r\n--b--\r\n"


def nim(file: bytes) -> bytes:
    return orjson.dumps({"input": [{"type": "image_url", "url": f"data:image/png;base64,{text_of(file)}"}]})


def tensor(file: bytes) -> bytes:
    message = oip.ModelInferRequest(model_name="ppocr", raw_input_contents=[oip.pack_bytes([file])])
    message.inputs.add(name="image", datatype="BYTES", shape=[1])
    raw: bytes = message.SerializeToString()
    return raw


FORM = {"content-type": "multipart/form-data; boundary=b"}
#: Path, content type, and the body with a file.
OVER_HTTP: dict[str, tuple[str, dict[str, str], Callable[[bytes], bytes]]] = {
    "file": (V1, IMAGE, lambda file: file),
    "form": (V1, FORM, form),
    "v1": (V1, JSON, lambda file: orjson.dumps({"instances": [{"b64": text_of(file)}]})),
    "v2": (V2, {"inference-header-content-length": "0"}, lambda file: file),
    "paddlex": ("/ocr", JSON, lambda file: orjson.dumps({"file": text_of(file), "fileType": 1})),
    "pipeline": ("/ocr/prediction", JSON, lambda file: orjson.dumps({"key": ["image"], "value": [text_of(file)]})),
    "hubserving": ("/predict/ocr_system", JSON, lambda file: orjson.dumps({"images": [text_of(file)]})),
    "nim": ("/v1/infer", JSON, nim),
}
OVER_GRPC: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "v2": (f"{oip.SERVICE}/ModelInfer", tensor),
    "stream": (f"{oip.SERVICE}/ModelStreamInfer", tensor),
    "pipeline": (
        "baidu.paddle_serving.pipeline_serving.PipelineService/inference",
        lambda file: pipeline.Request(key=["image"], value=[text_of(file)], name="ocr").SerializeToString(),  # type: ignore[attr-defined]
    ),
}
FILES = {"bytes": file_of_many_bytes, "pixels": file_of_many_pixels}


def codes_at_once(address: str, method: str, message: bytes, authority: str | None = None) -> Counter[str]:
    """How COUNT calls of a method end that are made at the same time. `authority` is the host that a gateway knows."""

    def one(channel: grpc.Channel) -> str:
        call = channel.stream_stream(f"/{method}", lambda raw: raw, lambda raw: raw)(iter([message]), timeout=90)
        try:
            next(call, None)
        except grpc.RpcError:
            return str(call.code().name)
        return "OK"

    options: list[tuple[str, str | int]] = [("grpc.max_send_message_length", -1)]
    if authority is not None:
        options.append(("grpc.default_authority", authority))
    with (
        grpc.insecure_channel(address, options) as channel,
        ThreadPoolExecutor(COUNT) as pool,
    ):
        return Counter(pool.map(one, [channel] * COUNT))
