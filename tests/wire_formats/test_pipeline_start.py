"""`ppocr serve --pdserving config.yml`: the old configuration, the tracer's file, the old metrics, and `ppocr top`."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from pathlib import Path

import httpx

from tests.services import all_in_one, free_port, running

CONFIG = """
rpc_port: {grpc}
http_port: {http}
worker_num: 10
build_dag_each_worker: False
dag:
    is_thread_op: False
    retry: 10
    use_profile: True
    enable_prometheus: True
    tracer:
        interval_s: 1
op:
    det:
        concurrency: 8
        local_service_conf:
            client_type: local_predictor
            model_config: ./ppocr_det_v3_serving
            devices: ""
            ir_optim: True
    rec:
        concurrency: 4
        timeout: 20000
        retry: 1
        local_service_conf:
            client_type: local_predictor
            model_config: ./ppocr_rec_v3_serving
            devices: ""
            ir_optim: True
"""


def ask(url: str, image: bytes, count: int = 1) -> None:
    body = json.dumps({"key": ["image"], "value": [base64.b64encode(image).decode()]})
    for _ in range(count):
        answer = httpx.post(f"{url}/ocr/prediction", content=body, timeout=60)
        assert answer.json()["err_no"] == 0


def test_an_old_configuration_starts_the_service(tmp_path: Path, receipt: bytes) -> None:
    http, grpc = free_port(), free_port()
    config = tmp_path / "config.yml"
    config.write_text(CONFIG.format(http=http, grpc=grpc))
    tracer = tmp_path / "pipeline.tracer"
    command = ["ppocr", "serve", "--host", "127.0.0.1", "--pdserving", str(config), "--tracer", str(tracer)]
    with running(command, tmp_path / "log", ports=(http, grpc)) as service:
        ask(service.url, receipt, 3)
        wrong = httpx.post(f"{service.url}/ocr/prediction", content="{}", timeout=60)
        assert wrong.json()["err_no"] == 10000
        exported = httpx.get(f"{service.url}/metrics").text
        top = subprocess.run(
            [sys.executable, "-m", "ppocr", "top", service.url, "--seconds", "0.2", "--times", "1"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout
    counted = dict(re.findall(r"^(pd_\w+_total) ([\d.e+]+)$", exported, re.MULTILINE))
    assert float(counted["pd_query_request_success_total"]) == 3
    assert float(counted["pd_query_request_failure_total"]) == 1
    # Detection and lines of each, and lines in doubt once more.
    assert 6 <= float(counted["pd_inference_count_total"]) <= 12
    assert 0 < float(counted["pd_inference_duration_us_total"]) < float(counted["pd_query_request_duration_us_total"])
    assert top.splitlines()[1].startswith("=====")
    report = tracer.read_text()
    assert sum(map(int, re.findall(r"Query count\[(\d+)\]", report))) == 4
    assert "Error req[400: 1]" in report
    assert "Op(det):" in report and "Op(rec):" in report
    said = (tmp_path / "log").read_text()
    assert f"sets --grpc_port={grpc} --http_port={http} --pdserving_metrics=true --tracer=" in said
    for key in ("worker_num", "dag.retry", "op.det.concurrency", "op.rec.local_service_conf.ir_optim"):
        assert f"config.yml: {key} has no effect here: " in said
    assert "to serve the model of det, convert it" in said


def test_a_variable_and_a_flag_beat_the_configuration(tmp_path: Path) -> None:
    config = tmp_path / "config.yml"
    config.write_text("http_port: 1\nrpc_port: 2\nop: {det: {timeout: 100}}\n")
    with all_in_one(tmp_path / "log", "--pdserving", str(config), PPOCR_REQUEST_TIMEOUT_SECONDS="30") as service:
        assert httpx.get(f"{service.url}/v2/health/ready").status_code == 200
    said = (tmp_path / "log").read_text()
    assert "--pdserving_answer=det" in said
    assert "request_timeout" not in said


def test_what_is_no_configuration_ends_the_start(tmp_path: Path) -> None:
    config = tmp_path / "config.yml"
    for text, reason in (("[]", "no section 'op'"), (None, "can't be read")):
        config.unlink(missing_ok=True)
        if text is not None:
            config.write_text(text)
        command = [sys.executable, "-m", "ppocr", "serve", "--pdserving", str(config)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert run.returncode == 1
        assert reason in run.stderr
        assert "Traceback" not in run.stderr


def test_top_of_what_does_not_answer() -> None:
    command = [sys.executable, "-m", "ppocr", "top", f"http://127.0.0.1:{free_port()}", "--times", "1"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (run.returncode, run.stdout) == (1, "")
    assert "can't be read" in run.stderr


def test_formats_that_are_switched_off_and_a_port_of_their_own(tmp_path: Path, receipt: bytes) -> None:
    port = free_port()
    with all_in_one(tmp_path / "log", "--formats", "v1,raw", "--pdserving_port", str(port)) as service:
        off = httpx.post(f"{service.url}/ocr/prediction", content="{}")
        assert (off.status_code, set(off.json())) == (404, {"error"})
        assert httpx.post(f"{service.url}/v2/models/ppocr/infer", content="{}").status_code == 404
        assert "/ocr/prediction" not in httpx.get(f"{service.url}/openapi.json").json()["paths"]
        ask(f"http://127.0.0.1:{port}", receipt)
        other = httpx.post(f"http://127.0.0.1:{port}/v1/models/ppocr:predict", content="{}")
        assert (other.status_code, other.text) == (404, "Not Found\n")
        exported = httpx.get(f"{service.url}/metrics").text
        assert 'ppocr_requests_total{code="200",route="/{name}/{method}"} 1.0' in exported


def test_a_port_that_is_set_twice(tmp_path: Path) -> None:
    port = str(free_port())
    command = [sys.executable, "-m", "ppocr", "serve", "--http_port", port, "--web_service_port", port]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (run.returncode, "set twice" in run.stderr) == (1, True)
