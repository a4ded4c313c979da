"""The plain manifests are what the chart makes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.charts.programs import ROOT, run
from tests.needs import program

FOLDERS = ("ab", "base", "canary", "gpu", "plain")


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("k8s")
    path = f"{Path(program('helm')).parent}:{os.environ['PATH']}"
    subprocess.run([ROOT / "scripts" / "render_k8s", folder], env={**os.environ, "PATH": path}, check=True)
    return folder


@pytest.mark.parametrize("folder", FOLDERS)
def test_they_are_what_the_chart_makes(rendered: Path, folder: str) -> None:
    assert (ROOT / "k8s" / folder / "ppocr.yaml").read_text() == (rendered / folder / "ppocr.yaml").read_text(), (
        "run scripts/render_k8s"
    )


def test_there_are_no_others(rendered: Path) -> None:
    assert sorted(path.name for path in rendered.iterdir()) == sorted(FOLDERS)
    assert sorted(path.name for path in (ROOT / "k8s").iterdir() if path.is_dir()) == sorted(FOLDERS)


@pytest.mark.parametrize("folder", FOLDERS)
def test_they_name_no_namespace_and_no_release(folder: str) -> None:
    for made in yaml.safe_load_all((ROOT / "k8s" / folder / "ppocr.yaml").read_text()):
        assert "namespace" not in made["metadata"]
        assert "Helm" not in made["metadata"].get("labels", {}).values()


@pytest.mark.parametrize("folder", FOLDERS)
def test_kustomize_can_change_the_images(folder: str, tmp_path: Path) -> None:
    base = os.path.relpath(ROOT / "k8s" / folder, tmp_path.resolve())
    image = {"name": "ppocr-predictor", "newName": "registry.example.com/p", "newTag": "9"}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump({"resources": [base], "images": [image]}))
    done = run("kubectl", "kustomize", tmp_path)
    assert done.returncode == 0, done.stderr
    tracks = 2 if folder in ("ab", "canary") else 1
    assert done.stdout.count("image: registry.example.com/p:9") == tracks
