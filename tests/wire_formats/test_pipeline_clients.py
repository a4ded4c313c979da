"""The pipeline's own clients, but for the address: its wheel's PipelineClient, and what pipeline_http_client.py does."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.wire_formats.conftest import Front

DATA = Path(__file__).parent.parent / "data"

CLIENT = Path(__file__).parent / "pipeline_client.py"


@pytest.fixture(scope="module")
def texts(front: Front) -> dict[str, list[str]]:
    """What V1 reads in the receipts that the repository has."""
    url = f"{front.service.url}/v1/models/ppocr:predict"
    read = {}
    for path in sorted(DATA.glob("*.jpg")):
        answer = httpx.post(url, content=path.read_bytes(), headers={"content-type": "image/jpeg"}, timeout=60)
        read[path.name] = [line["text"] for line in answer.json()["predictions"][0]["lines"]]
    assert len(read) == 3
    return read


def test_pipeline_client_of_the_wheel(
    front: Front, pipeline_client: Path, texts: dict[str, list[str]], tmp_path: Path
) -> None:
    paths = [DATA / name for name in texts]
    command = [pipeline_client, CLIENT, front.pipeline_grpc, *paths]
    # It writes logs into the folder that it runs in.
    run = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False, cwd=tmp_path)
    assert run.returncode == 0, run.stderr[-3000:]
    answers = [json.loads(line[6:]) for line in run.stdout.splitlines() if line.startswith("ANSWER")]
    assert answers == [[0, ["result"], read] for read in texts.values() for _ in range(2)]


def test_what_the_http_client_does(front: Front, texts: dict[str, list[str]]) -> None:
    for name, read in texts.items():
        image = base64.b64encode((DATA / name).read_bytes()).decode("utf8")
        data = {"key": ["image"], "value": [image]}
        answer = httpx.post(f"{front.urls['pdserving_port']}/ocr/prediction", content=json.dumps(data), timeout=60)
        result = answer.json()
        assert (result["err_no"], result["err_msg"]) == (0, "")
        items = eval(result["value"][0])  # as the client does, which is why the value has to be Python
        assert [item[0][0] for item in items] == read
        for (_, score), points in items:
            assert 0 < score <= 1
            assert len(points) == 4
            assert all(isinstance(x, float) and x.is_integer() for point in points for x in point)
