"""A release: one version everywhere, a chart of the same bytes each time, and what a registry holds of it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.needs import program
from tests.registry import registry, released

ROOT = Path(__file__).parent.parent
VERSION = runpy.run_path(str(ROOT / "scripts" / "release_version.py"))
#: The images that scripts/build_images made for the test cluster, in buildah's storage.
BUILT = {"BUILT": "1", "STORAGE_DRIVER": os.environ.get("STORAGE_DRIVER", "overlay")}
nightly = pytest.mark.skipif(not os.environ.get("PPOCR_NIGHTLY"), reason="takes minutes: nightly")


def test_one_version_everywhere() -> None:
    assert VERSION["version"]().count(".") == 2


def test_a_version_that_differs_is_refused(tmp_path: Path) -> None:
    for path, _ in VERSION["PLACES"]:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    chart = tmp_path / "charts/ppocr/Chart.yaml"
    chart.write_text(chart.read_text().replace("version: 0.", "version: 9.", 1))
    with pytest.raises(ValueError, match=r"the versions differ: .* 9\.\S+ in charts/ppocr/Chart.yaml"):
        VERSION["version"](tmp_path)


CHARTS = ("ppocr", "ppocr-runtime")


def packed(folder: Path, chart: Path) -> bytes:
    subprocess.run([program("helm"), "package", chart, "--destination", folder], check=True, capture_output=True)
    (archive,) = folder.glob("*.tgz")
    subprocess.run([sys.executable, ROOT / "scripts" / "chart_archive.py", archive, "1700000000"], check=True)
    assert archive.stat().st_mtime == 1700000000
    return archive.read_bytes()


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_the_same_bytes_each_time(tmp_path: Path, name: str) -> None:
    copy = tmp_path / "elsewhere" / name
    shutil.copytree(ROOT / "charts" / name, copy)
    for path in copy.rglob("*"):
        os.utime(path, (1, 1))
    first, again = packed(tmp_path / "a", ROOT / "charts" / name), packed(tmp_path / "b", copy)
    assert hashlib.sha256(first).hexdigest() == hashlib.sha256(again).hexdigest()
    shown = subprocess.run(
        [program("helm"), "show", "chart", next((tmp_path / "a").glob("*.tgz"))], check=True, capture_output=True
    )
    assert f"name: {name}\n" in shown.stdout.decode()


def test_debian_packages_are_components(tmp_path: Path) -> None:
    path = tmp_path / "image.cdx.json"
    path.write_text(json.dumps({"bomFormat": "CycloneDX", "components": []}))
    lines = "zlib1g 1:1.2.13.dfsg-1 amd64\nbase-files 12.4+deb12u11 amd64\n"
    script = [sys.executable, ROOT / "scripts" / "sbom_debian.py", path]
    subprocess.run(script, input=lines, text=True, check=True)
    purls = [each["purl"] for each in json.loads(path.read_text())["components"]]
    assert purls == [
        "pkg:deb/debian/base-files@12.4%2Bdeb12u11?arch=amd64",
        "pkg:deb/debian/zlib1g@1%3A1.2.13.dfsg-1?arch=amd64",
    ]


def test_the_charts_go_into_a_registry_and_install_from_there(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    with registry(tmp_path / "blobs") as address:
        said = released(address, "charts")
        for image in ("ppocr-transformer", "ppocr-predictor", "ppocr"):
            assert f"  {address}/team/{image}:{VERSION['version']()}" in said.replace('"', "")
        urls = [f"http://{address}/v2/team/charts/{name}/manifests/{VERSION['version']()}" for name in CHARTS]
        accept = {"accept": "application/vnd.oci.image.manifest.v1+json"}
        first = [httpx.get(url, headers=accept) for url in urls]
        assert {each.json()["config"]["mediaType"] for each in first} == {"application/vnd.cncf.helm.config.v1+json"}
        released(address, "charts")
        assert [httpx.get(url, headers=accept).content for url in urls] == [each.content for each in first]


TARGETS = ("transformer", "predictor", "predictor-gpu", "ppocr", "ppocr-gpu")


def test_an_images_stage_is_the_last_of_its_file(tmp_path: Path) -> None:
    """There alone labels count against buildah's cache: else an image of cached layers keeps those of an earlier commit."""
    build = tmp_path / "build"
    build.write_text(f"""#!/bin/sh
while [ "$1" != --file ]; do shift; done
grep "^FROM " "$2" | tail -1 >>{tmp_path}/last
""")
    build.chmod(0o755)
    command = [ROOT / "scripts" / "build_images", *TARGETS]
    subprocess.run(command, env={**os.environ, "BUILD": str(build)}, check=True, capture_output=True)
    last = (tmp_path / "last").read_text().splitlines()
    assert [each.split()[-1] for each in last] == list(TARGETS)


DIGEST = r"docker\.io/library/debian:bookworm-slim@sha256:[0-9a-f]{64}"


@pytest.mark.parametrize(("named", "expected"), [({}, DIGEST), ({"BASE": "debian:other"}, "debian:other")])
def test_the_base_image_is_named_by_its_digest(tmp_path: Path, named: dict[str, str], expected: str) -> None:
    """In each image of the Containerfile; `predictor-next` is based on the predictor's image alone."""
    docker = tmp_path / "docker"
    docker.write_text(f'#!/bin/sh\necho "$*" >>{tmp_path}/calls\n')
    docker.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if name not in ("BASE", "BUILD", "BUILD_ARGS")}
    environment |= {"TOOL": "docker", "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    command = [ROOT / "scripts" / "build_images", *TARGETS, "predictor-next"]
    subprocess.run(command, env=environment | named, check=True, capture_output=True)
    *images, derived = (tmp_path / "calls").read_text().splitlines()
    bases = [re.findall(r"--build-arg BASE=(\S+)", each) for each in images]
    assert [len(each) for each in bases] == [1] * len(TARGETS)
    assert all(re.fullmatch(expected, base) for (base,) in bases)
    assert "BASE=" not in derived


@nightly
def test_images_go_into_a_registry_with_their_sbom(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    oras = program("oras")
    program("buildah")
    revisions = set()
    with registry(tmp_path / "blobs") as address:
        released(address, "images", PATH=f"{Path(oras).parent}{os.pathsep}{os.environ['PATH']}", **BUILT)
        for name in ("ppocr-transformer", "ppocr-predictor", "ppocr"):
            image, part = f"{address}/team/{name}:{VERSION['version']()}", name.removeprefix("ppocr-")
            listed = subprocess.run(
                [oras, "discover", "--plain-http", "--format", "json", image], check=True, capture_output=True
            )
            (sbom,) = json.loads(listed.stdout)["referrers"]
            assert sbom["artifactType"] == "application/vnd.cyclonedx+json"
            subprocess.run([oras, "pull", "--plain-http", "--output", tmp_path, sbom["reference"]], check=True)
            document = json.loads((tmp_path / f"{part}.cdx.json").read_text())
            purls = [each["purl"].partition("?")[0] for each in document["components"]]
            assert {purl.partition("/")[0] for purl in purls} == {"pkg:pypi", "pkg:deb"}
            assert len(set(purls)) == len(purls)
            fetch = [oras, "manifest", "fetch-config", "--plain-http", image]
            labels = json.loads(subprocess.run(fetch, check=True, capture_output=True).stdout)["config"]["Labels"]
            assert labels["org.opencontainers.image.title"] == name
            assert labels["org.opencontainers.image.version"] == VERSION["version"]()
            revisions.add(labels["org.opencontainers.image.revision"])
    assert len(revisions) == 1, "all are of one commit"
