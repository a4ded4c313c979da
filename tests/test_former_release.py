"""A rolling update: services of the release before networks were data, beside those of this one, in both directions."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests import services
from tests.services import Service

ROOT = Path(__file__).parent.parent
#: The last commit of that release.
FORMER = "e86178f4f49648e2799e761278677156c58bb699"
URL = "/v1/models/ppocr:predict"
JPEG = {"content-type": "image/jpeg"}


@pytest.fixture(scope="module")
def former(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout of the former release, with its own built-in bundle."""
    archive = subprocess.run(["git", "archive", FORMER], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        pytest.skip("the history of this clone doesn't go back to the former release: git fetch --unshallow")
    folder = tmp_path_factory.mktemp("former")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    build = "from pathlib import Path; from ppocr.convert import builtin; builtin.build(Path('ppocr/bundles'))"
    subprocess.run([sys.executable, "-c", build], cwd=folder, env={**os.environ, **_own(folder)}, check=True)
    return folder


@pytest.fixture(scope="module")
def bundles(former: Path) -> Path:
    """The repository of the former release: what both releases serve while one replaces the other."""
    return former / "ppocr" / "bundles"


@pytest.fixture(scope="module")
def expected(bundles: Path, tmp_path_factory: pytest.TempPathFactory, receipt: bytes) -> Iterator[object]:
    """What this release reads with the former one's bundle."""
    with services.all_in_one(tmp_path_factory.mktemp("expected") / "log", "--model_dir", str(bundles)) as service:
        yield _lines(service, receipt)


def test_a_former_transformer_asks_a_predictor_of_today(
    former: Path, bundles: Path, tmp_path: Path, receipt: bytes
) -> None:
    """It reads what it read with a predictor of its own release."""
    own = ["predictor", "--host", "127.0.0.1", "--model_dir", str(bundles)]
    with (
        services.predictor(tmp_path / "today.log", "--model_dir", str(bundles)) as today,
        services.running(own, tmp_path / "former.log", cwd=former, **_own(former)) as before,
    ):
        lines = []
        for predictor in (today, before):
            command = ["transformer", "--host", "127.0.0.1", "--predictor_host", predictor.grpc]
            with services.running(command, tmp_path / "log", cwd=former, **_own(former)) as transformer:
                lines.append(_lines(transformer, receipt))
    assert lines[0] == lines[1] != []


def test_a_transformer_of_today_asks_a_former_predictor(
    former: Path, bundles: Path, expected: object, tmp_path: Path, receipt: bytes
) -> None:
    command = ["predictor", "--host", "127.0.0.1", "--model_dir", str(bundles)]
    with (
        services.running(command, tmp_path / "predictor.log", cwd=former, **_own(former)) as predictor,
        services.transformer(tmp_path / "log", predictor.grpc) as transformer,
    ):
        assert _lines(transformer, receipt) == expected
        url = f"{transformer.url}{URL}?use_doc_orientation_classify=true"
        lacking = httpx.post(url, content=receipt, headers=JPEG, timeout=60)
        assert lacking.status_code == 400 and "page_orientation" in lacking.json()["error"]


async def test_pods_of_both_releases_serve_the_same_bundle(
    former: Path, bundles: Path, expected: object, tmp_path: Path, receipt: bytes
) -> None:
    """Detection by the one and recognition by the other: both call the bundle by the same identity."""
    command = ["predictor", "--host", "127.0.0.1", "--model_dir", str(bundles)]
    with (
        services.running(command, tmp_path / "former.log", cwd=former, **_own(former)) as one,
        services.predictor(tmp_path / "today.log", "--model_dir", str(bundles)) as two,
        services.transformer(tmp_path / "log", f"ipv4:{one.grpc},{two.grpc}") as transformer,
    ):
        for _ in range(4):
            assert _lines(transformer, receipt) == expected
        for log in ("former.log", "today.log"):
            assert "grpc:ModelInfer OK" in (tmp_path / log).read_text()
        assert "NOT_FOUND" not in (tmp_path / "former.log").read_text() + (tmp_path / "today.log").read_text()


def _lines(service: Service, image: bytes) -> object:
    answer = httpx.post(service.url + URL, content=image, headers=JPEG, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()["predictions"][0]["lines"]


def _own(folder: Path) -> dict[str, str]:
    """Code of that folder before any that is installed."""
    return {"PYTHONPATH": str(folder)}
