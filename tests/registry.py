"""A registry of OCI artefacts as a process, and this checkout's release in it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.needs import program
from tests.services import free_port

ROOT = Path(__file__).parent.parent


@contextlib.contextmanager
def registry(folder: Path, host: str = "127.0.0.1") -> Iterator[str]:
    """A registry on an address of this machine, without TLS."""
    address = f"{host}:{free_port()}"
    config = {"version": 0.1, "storage": {"filesystem": {"rootdirectory": str(folder)}}, "http": {"addr": address}}
    (folder / "config.yml").write_text(json.dumps(config))
    command = [program("docker-registry"), "serve", str(folder / "config.yml")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 60
            while True:
                with contextlib.suppress(httpx.HTTPError):
                    httpx.get(f"http://{address}/v2/").raise_for_status()
                    break
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.1)
            yield address
        finally:
            process.kill()


def released(address: str, *what: str, **environ: str) -> str:
    """What scripts/release says that puts this checkout's version there."""
    path = os.pathsep.join([*{str(Path(program(name)).parent) for name in ("helm",)}, os.environ["PATH"]])
    done = subprocess.run(
        [ROOT / "scripts" / "release", f"{address}/team", *what],
        env={**os.environ, "PATH": path, "PLAIN_HTTP": "1", **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
