"""What a client sees that is cut off when the service's time to drain is over: 503 and when to come back, not a 500."""

from __future__ import annotations

import base64
import threading
import time
from pathlib import Path

import httpx

from tests import services


def test_a_request_that_outlasts_the_drain(receipt: bytes, tmp_path: Path) -> None:
    instances = [base64.b64encode(receipt).decode()] * 32
    answers: list[httpx.Response] = []
    with services.all_in_one(tmp_path / "log", "--drain_seconds", "1") as service:

        def ask() -> None:
            answers.append(
                httpx.post(f"{service.url}/v1/models/ppocr:predict", json={"instances": instances}, timeout=60)
            )

        thread = threading.Thread(target=ask)
        thread.start()
        deadline = time.monotonic() + 30
        while "ppocr_requests_in_flight 2.0" not in httpx.get(f"{service.url}/metrics").text:
            assert time.monotonic() < deadline
        assert service.stop() == 0
        thread.join()
        log = service.log.read_text()
    (answer,) = answers
    assert (answer.status_code, answer.json()) == (503, {"error": "the service is stopping"})
    assert int(answer.headers["retry-after"]) >= 1
    assert "Traceback" not in log, log[-2000:]
    assert " 503 " in log
