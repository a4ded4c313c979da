"""kubectl and helm, in one namespace."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

T = TypeVar("T")
Json = dict[str, Any]
NIGHTLY = bool(os.environ.get("PPOCR_NIGHTLY"))
#: What takes long, or measures more than it checks.
nightly = pytest.mark.skipif(not NIGHTLY, reason="nightly: PPOCR_NIGHTLY=1")


def run(*command: str, stdin: str | None = None, check: bool = True, both: bool = False) -> str:
    """What a command prints, with `both` what it complains of too; else that becomes the test's failure."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise AssertionError(
            f"{' '.join(command)[:300]}: exit code {done.returncode}\n{done.stderr}{done.stdout[-2000:]}"
        )
    return done.stdout + done.stderr if both else done.stdout


def until(seconds: float, probe: Callable[[], T | None], what: str) -> T:
    """What `probe` returns, as soon as that is true; asks twice a second."""
    deadline = time.monotonic() + seconds
    while True:
        if found := probe():
            return found
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.5)


@dataclass(frozen=True)
class Pod:
    """A pod as far as tests ask: `restarts` of all its containers, `node` empty while it is pending."""

    name: str
    uid: str
    ip: str
    node: str
    ready: bool
    going: bool
    restarts: int
    labels: Mapping[str, str]
    raw: Json


@dataclass(frozen=True)
class Namespace:
    """A namespace of the cluster; `helm_program` is the Helm that installs into it."""

    name: str
    helm_program: str = "helm"

    def kubectl(self, *arguments: str, stdin: str | None = None, check: bool = True) -> str:
        return run("kubectl", "--namespace", self.name, *arguments, stdin=stdin, check=check)

    def helm(self, *arguments: str, check: bool = True, both: bool = False) -> str:
        return run(self.helm_program, "--namespace", self.name, *arguments, check=check, both=both)

    def get(self, *arguments: str) -> Json:
        found: Json = json.loads(self.kubectl("get", *arguments, "--output", "json"))
        return found

    def apply(self, *objects: Json) -> None:
        self.kubectl(
            "apply", "--filename", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        )

    def pods(self, selector: str = "") -> list[Pod]:
        """Pods by a label selector, oldest first."""
        items = self.get("pods", "--selector", selector)["items"]
        return [_pod(item) for item in sorted(items, key=lambda item: item["metadata"]["creationTimestamp"])]

    def raw(self, path: str) -> str:
        """A path of the API server."""
        return run("kubectl", "get", "--raw", path)

    def proxy(self, pod: Pod, path: str, port: int = 8080) -> str:
        """An HTTP route of a pod, through the API server."""
        return self.raw(f"/api/v1/namespaces/{self.name}/pods/{pod.name}:{port}/proxy{path}")


@contextlib.contextmanager
def new_namespace(prefix: str, *labels: str, helm_program: str = "helm") -> Iterator[Namespace]:
    """A namespace of its own. It goes with all that is in it, and nobody waits: pods take half a minute to end."""
    name = f"{prefix}-{secrets.token_hex(3)}"
    run("kubectl", "create", "namespace", name)
    if labels:
        run("kubectl", "label", "namespace", name, *labels)
    try:
        yield Namespace(name, helm_program)
    finally:
        run("kubectl", "delete", "namespace", name, "--wait=false")


def _pod(item: Json) -> Pod:
    meta, status = item["metadata"], item["status"]
    containers = status.get("containerStatuses", [])
    return Pod(
        name=meta["name"],
        uid=meta["uid"],
        ip=status.get("podIP", ""),
        node=item["spec"].get("nodeName", ""),
        ready=bool(containers) and all(container["ready"] for container in containers),
        going="deletionTimestamp" in meta,
        restarts=sum(container["restartCount"] for container in containers),
        labels=meta.get("labels", {}),
        raw=item,
    )
