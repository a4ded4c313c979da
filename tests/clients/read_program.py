"""What the example programs of the clients in Java and C++ are held to: they have the same options and print the same.

A line of their output is a confidence, corners and a text: `0.9981 [120.0,33.0 301.0,33.0 301.0,58.0 120.0,58.0] TAX INVOICE`.
"""

from __future__ import annotations

import re
import ssl
import struct
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import grpc
import pytest

from ppocr_api import oip
from ppocr_api.errors import InvalidRequest
from ppocr_client import GrpcClient
from tests.certificates import Authority
from tests.clients.scripted import Answer, GrpcAnswer, GrpcHead, Scripted, http, over_grpc
from tests.services import Service, free_port

IMAGE = Path(__file__).parents[1] / "data" / "075.jpg"
LINE = re.compile(r"(\d\.\d{4}) \[([-\d., ]+)\] (.*)")
PIPELINE = {"err_no": 0, "err_msg": "", "key": ["result"], "tensors": []} | {
    "value": ["[[('hello', 0.5), [[0.0, 0.0], [9.0, 0.0], [9.0, 4.0], [0.0, 4.0]]]]"]
}
BUSY = Answer(429, {"error": "full", "code": 8, "message": "full", "details": []}, {"Retry-After": "1"})
LATER = Answer(503, {"error": "draining"}, {"Retry-After": "30"})


def over_v2() -> Any:
    """V2's answer that says hello."""
    answer = oip.ModelInferResponse(model_name="ppocr", model_version="1")
    for name, content in {
        "text": oip.pack_bytes([b"hello"]),
        "confidence": struct.pack("<f", 0.5),
        "points": struct.pack("<8f", 0, 0, 9, 0, 9, 4, 0, 4),
        "count": struct.pack("<i", 1),
        "size": struct.pack("<2i", 10, 5),
    }.items():
        answer.outputs.add(name=name)
        answer.raw_output_contents.append(content)
    return answer


class ReadProgram:
    """The tests of one program; `program` is a fixture of the module, the command that starts it."""

    @pytest.mark.parametrize("way", ["--grpc", "--pipeline-http", "--pipeline-grpc"])
    def test_a_receipt_is_what_v1_says(
        self, program: list[str], service: Service, receipt_lines: list[dict[str, Any]], way: str
    ) -> None:
        address = f"{service.url}/ocr/prediction" if way == "--pipeline-http" else service.grpc
        lines = read(program, way, address, IMAGE)
        assert [text for _, _, text in lines] == [line["text"] for line in receipt_lines]
        for (confidence, points, _), line in zip(lines, receipt_lines, strict=True):
            assert confidence == pytest.approx(line["confidence"], abs=2e-4)
            # The pipeline's corners are whole numbers.
            assert points == [pytest.approx(point, abs=0.1 if way == "--grpc" else 0.6) for point in line["points"]]

    def test_what_the_service_refuses(self, program: list[str], service: Service, tmp_path: Path) -> None:
        image = tmp_path / "image.jpg"
        image.write_bytes(b"not an image")
        with GrpcClient(service.grpc) as client, pytest.raises(InvalidRequest) as sentence:
            client.read(image)
        assert refused(program, "--grpc", service.grpc, image) == f"InvalidRequest: {sentence.value}"
        over_http = refused(program, "--pipeline-http", f"{service.url}/ocr/prediction", image)
        assert over_http.startswith("InvalidRequest: ") and over_http.endswith("(err_no 10000)")
        assert refused(program, "--pipeline-http", f"{service.url}/other/prediction", image).startswith("NotFound: ")
        assert refused(program, "--grpc", service.grpc, tmp_path / "none").startswith("InvalidRequest: ")

    def test_the_time_limit(self, program: list[str], service: Service) -> None:
        for way, address in (("--grpc", service.grpc), ("--pipeline-http", f"{service.url}/ocr/prediction")):
            assert "DeadlineExceeded: " in refused(program, "--timeout", "0.01", way, address, IMAGE)

    def test_nobody_is_there(self, program: list[str]) -> None:
        nobody = f"127.0.0.1:{free_port()}"
        for way, address in (("--grpc", nobody), ("--pipeline-http", f"http://{nobody}/ocr/prediction")):
            assert "Unavailable: " in refused(program, "--retries", "1", "--timeout", "9", way, address, IMAGE)

    def test_turned_away_then_read(self, program: list[str]) -> None:
        """After the second that the service asks for; with the key and the time that is left."""
        with http(BUSY, Answer(200, PIPELINE)) as server:
            started = time.monotonic()
            address = f"{server.address}/ocr/prediction"
            assert read(program, "--api-key", "secret", "--timeout", "20", "--pipeline-http", address, IMAGE) == [
                hello()
            ]
            assert time.monotonic() - started > 1
        assert [each.headers["authorization"] for each in server.asked] == ["Bearer secret"] * 2
        first, second = (int(each.headers["grpc-timeout"].removesuffix("m")) for each in server.asked)
        assert second < first - 1000 and first <= 20_000

        heads: list[GrpcHead] = []
        busy = GrpcAnswer(code=grpc.StatusCode.RESOURCE_EXHAUSTED, sentence="full", trailing=(("retry-after", "1"),))
        with over_grpc(busy, GrpcAnswer(over_v2()), heads=heads) as (target, asked):
            started = time.monotonic()
            assert read(program, "--api-key", "secret", "--timeout", "20", "--grpc", target, IMAGE) == [hello()]
            assert time.monotonic() - started > 1
        assert [head.metadata["authorization"] for head in heads] == ["Bearer secret"] * 2
        assert heads[1].left < heads[0].left - 1 and heads[0].left <= 20
        assert [oip.unpack_bytes(each.raw_input_contents[0]) for each in asked] == [[IMAGE.read_bytes()]] * 2

    def test_no_wait_past_the_time_limit_and_no_try_too_many(self, program: list[str]) -> None:
        with http(LATER) as server:
            assert refused(program, "--timeout", "20", *pipeline(server), IMAGE) == "Unavailable: draining"
        assert len(server.asked) == 1
        with http(BUSY) as server:
            assert refused(program, "--retries", "0", *pipeline(server), IMAGE) == "Overloaded: full"
        assert len(server.asked) == 1

    def test_tls_with_an_authority_of_its_own(self, program: list[str], tmp_path: Path) -> None:
        authority, other = Authority.made(tmp_path, "ours"), Authority.made(tmp_path, "other")
        certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
        authority.sign(certificate, key, "server")
        with over_grpc(GrpcAnswer(over_v2()), tls=(key.read_bytes(), certificate.read_bytes())) as (target, _):
            assert read(program, "--certificate", authority.pem, "--grpc", target, IMAGE) == [hello()]
            wrong = refused(program, "--retries", "0", "--certificate", other.pem, "--grpc", target, IMAGE)
            assert wrong.startswith("Unavailable: ")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        with http(Answer(200, PIPELINE), tls=context) as server:
            assert read(program, "--certificate", authority.pem, *pipeline(server), IMAGE) == [hello()]


def hello() -> tuple[float, list[list[float]], str]:
    return 0.5, [[0, 0], [9, 0], [9, 4], [0, 4]], "hello"


def pipeline(server: Scripted) -> tuple[str, str]:
    return "--pipeline-http", f"{server.address}/ocr/prediction"


def read(program: list[str], *arguments: str | Path) -> list[tuple[float, list[list[float]], str]]:
    """The lines that the program prints: confidence, corners, text."""
    done = run(program, arguments)
    assert done.returncode == 0, done.stderr
    lines = []
    for printed in done.stdout.splitlines():
        match = LINE.fullmatch(printed)
        assert match is not None, printed
        points = [[float(number) for number in point.split(",")] for point in match[2].split()]
        lines.append((float(match[1]), points, match[3]))
    return lines


def refused(program: list[str], *arguments: str | Path) -> str:
    """The name of the error and its sentence; gRPC's library may write lines of its own before it."""
    done = run(program, arguments)
    assert done.returncode == 1, done.stdout + done.stderr
    found = re.search(r"^[A-Z][A-Za-z]+: .*$", done.stderr, re.MULTILINE)
    assert found is not None, done.stderr
    return found[0]


def run(program: list[str], arguments: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*program, *map(str, arguments)], capture_output=True, text=True, encoding="utf-8", timeout=60, check=False
    )
