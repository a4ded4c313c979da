"""Transformer and predictor in containers of little memory: whatever arrives at once, neither outgrows its own."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import grpc
import numpy as np
import pytest

from ppocr import oip
from ppocr.serving.tensors import request_to_grpc
from tests import services
from tests.control_group import MIB, ControlGroup, control_group
from tests.hostile.asking import V1, at_once, post
from tests.services import Service

pytestmark = pytest.mark.alone

#: The chart gives 2 and 3 GiB; with less of it, and pages that may be smaller, the same bounds hold, and so do smaller requests.
TRANSFORMER, PREDICTOR = 768 * MIB, 2048 * MIB
PAGES = ("--max_detection_pixels", "2000000")


@dataclass(frozen=True)
class Pair:
    """Both services, and their control groups where this machine lets us make some."""

    transformer: Service
    predictor: Service
    groups: tuple[ControlGroup | None, ControlGroup | None]

    def check(self) -> None:
        """Both live, and within their memory. A control group kills what isn't."""
        for service, limit in ((self.transformer, TRANSFORMER), (self.predictor, PREDICTOR)):
            assert service.process.poll() is None
            assert service.peak_bytes() < limit
        assert self.transformer.is_ready()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    logs = tmp_path_factory.mktemp("memory")
    with control_group(TRANSFORMER) as ours, control_group(PREDICTOR) as its:
        # Where there are no groups the setting says what the limit would.
        memory = [] if ours else ["--request_memory_bytes", str(int(TRANSFORMER * 0.6))]
        with (
            services.running(["predictor", "--host", "127.0.0.1", *PAGES], logs / "predictor", group=its) as predictor,
            services.running(
                ["transformer", "--host", "127.0.0.1", "--predictor_host", predictor.grpc, *PAGES, *memory],
                logs / "transformer",
                group=ours,
            ) as transformer,
        ):
            predictor.wait_prepared()
            yield Pair(transformer, predictor, (ours, its))


@pytest.fixture(scope="module")
def noise() -> bytes:
    """A PNG of 20 MB that hardly compresses."""
    pixels = np.random.default_rng(0).integers(0, 256, (2600, 2600, 3), np.uint8)
    png: bytes = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 0])[1].tobytes()
    return png


def test_tiny_images_that_ask_to_be_enlarged(pair: Pair) -> None:
    tiny = cv2.imencode(".png", np.full((32, 32), 255, np.uint8))[1].tobytes()
    assert len(tiny) < 200
    before = pair.predictor.rss_bytes()
    path = f"{V1}?text_det_limit_side_len=4000&text_det_limit_type=min"
    assert set(at_once(pair.transformer, path, [tiny] * 20)) <= {200, 429}
    pair.check()
    assert pair.predictor.rss_bytes() - before < 400 * MIB


def test_a_large_page_s_memory_comes_back(pair: Pair) -> None:
    page = cv2.imencode(".png", np.full((2000, 2000), 255, np.uint8))[1].tobytes()
    assert post(pair.transformer, V1, page, {"content-type": "image/png"})[0] == 200
    before = pair.predictor.rss_bytes()
    path = f"{V1}?text_det_limit_side_len=4000"
    assert set(at_once(pair.transformer, path, [page] * 6)) <= {200, 429}
    pair.check()
    # Without it 340 MB stay, in each stream.
    assert pair.predictor.rss_bytes() - before < 200 * MIB


def test_a_page_that_is_too_large_is_refused_by_the_predictor_itself(pair: Pair) -> None:
    pixels = np.zeros((1, 1600, 1600, 3), np.uint8)
    with (
        grpc.insecure_channel(pair.predictor.grpc, [("grpc.max_send_message_length", -1)]) as channel,
        pytest.raises(grpc.RpcError) as refused,
    ):
        oip.unary(channel, "ModelInfer")(request_to_grpc("det", {"image": pixels}), timeout=30)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT  # type: ignore[attr-defined]
    assert "max_detection_pixels" in refused.value.details()  # type: ignore[attr-defined]


def test_large_files_at_once(pair: Pair, noise: bytes) -> None:
    statuses = Counter(at_once(pair.transformer, V1, [noise] * 20))
    assert set(statuses) <= {200, 429}
    assert statuses[200] >= 3
    pair.check()


def test_bodies_that_are_declared_and_never_come(pair: Pair, receipt: bytes) -> None:
    """The first few hold their memory; the others are refused before they have sent anything, and small ones still pass."""
    head = f"POST {V1} HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: {30 * MIB}\r\n\r\n"
    with contextlib.ExitStack() as open_ones:
        connections = [
            open_ones.enter_context(socket.create_connection(("127.0.0.1", pair.transformer.http_port), timeout=10))
            for _ in range(30)
        ]
        for connection in connections:
            connection.sendall(head.encode())
        answered: list[socket.socket] = []
        deadline = time.monotonic() + 10
        while len(answered) < 27 and time.monotonic() < deadline:
            answered = select.select(connections, [], [], 0.5)[0]
        answers = [connection.recv(4096) for connection in answered]
    assert len(answers) == 27
    assert all(b" 429 " in each.split(b"\r\n")[0] and b"retry-after" in each.lower() for each in answers)
    deadline = time.monotonic() + 5
    while (status := post(pair.transformer, V1, receipt, {"content-type": "image/jpeg"})[0]) == 429:
        assert time.monotonic() < deadline
    assert status == 200


def test_large_messages_over_grpc_at_once(pair: Pair) -> None:
    message = oip.ModelInferRequest(model_name="nobody", raw_input_contents=[bytes(60_000_000)]).SerializeToString()
    with grpc.insecure_channel(pair.transformer.grpc, [("grpc.max_send_message_length", -1)]) as channel:
        call = channel.unary_unary(f"/{oip.SERVICE}/ModelInfer", lambda raw: raw, lambda raw: raw)
        calls = [call.future(message, timeout=60) for _ in range(30)]
        codes = {each.code() for each in calls}
    assert codes <= {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    }
    pair.check()


def test_after_all_of_it_a_receipt_is_read(pair: Pair, receipt: bytes, tmp_path: Path) -> None:
    assert post(pair.transformer, V1, receipt, {"content-type": "image/jpeg"})[0] == 200
    pair.check()
