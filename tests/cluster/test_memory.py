"""The largest requests that are permitted, many at once, to pods of 2 and 3 GiB: none is killed. Nightly."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import cv2
import numpy as np
import pytest

from tests.cluster import images
from tests.cluster.kube import Pod
from tests.cluster.load import Gateway
from tests.cluster.release import VALUES, Release
from tests.hostile.asking import IMAGE, JSON, V1, V2, send
from tests.hostile.largest import COUNT, OVER_GRPC, OVER_HTTP, codes_at_once, file_of_many_bytes

pytestmark = pytest.mark.skipif(not os.environ.get("PPOCR_NIGHTLY"), reason="takes minutes: nightly")
Say = Callable[[str], None]
MIB = 1 << 20
#: What a pod's process prints of its own control group, of either version: the most that it held, and its limit, in bytes.
MEMORY = """
import pathlib
for peak, limit in (("memory/memory.max_usage_in_bytes", "memory/memory.limit_in_bytes"), ("memory.peak", "memory.max")):
    group = pathlib.Path("/sys/fs/cgroup")
    if (group / peak).exists():
        print((group / peak).read_text().strip(), (group / limit).read_text().strip())
"""


@pytest.fixture(scope="module")
def pods(release: Release) -> list[Pod]:
    """The transformer and the predictor, which have the chart's memory."""
    limits = [VALUES[part]["resources"]["limits"]["memory"] for part in ("transformer", "predictor")]
    assert limits == ["2Gi", "3Gi"]
    return [*release.pods("transformer"), *release.pods("predictor")]


@cache
def page_of_12_mb() -> bytes:
    pixels = np.random.default_rng(1).integers(0, 256, (2000, 2000, 3), np.uint8)
    return bytes(cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 0])[1])


#: Path, headers, body, and how many at once. 14 of the first and 60 of the second killed a transformer that didn't count them.
REQUESTS: dict[str, tuple[str, dict[str, str], Callable[[], bytes], int]] = {
    "a PNG of 62 MB": (V1, IMAGE, file_of_many_bytes, COUNT),
    "a PNG of 12 MB": (V1, IMAGE, page_of_12_mb, 60),
    "V1 in JSON, 83 MB": (*OVER_HTTP["v1"][:2], lambda: OVER_HTTP["v1"][2](file_of_many_bytes()), COUNT),
    "PaddleX, 83 MB": (*OVER_HTTP["paddlex"][:2], lambda: OVER_HTTP["paddlex"][2](file_of_many_bytes()), COUNT),
    "33 million values in JSON": (V2, JSON, lambda: b'{"inputs":[' + b"{}," * 33_000_000 + b"{}]}", COUNT),
}


@pytest.mark.parametrize("kind", REQUESTS)
def test_over_http(release: Release, gateway: Gateway, pods: list[Pod], say: Say, kind: str) -> None:
    path, headers, made, count = REQUESTS[kind]
    body, address = made(), gateway.url.removeprefix("http://") + ":80"

    def one(_: int) -> int | str:
        try:
            return send(address, path, body, {**headers, "host": gateway.host})[0]
        except OSError as error:
            return type(error).__name__

    with ThreadPoolExecutor(count) as pool:
        statuses = Counter(pool.map(one, range(count)))
    say(f"{count} times {kind}: {dict(statuses)}; {memory(release, pods)}")
    refused = {400, 429} if made is REQUESTS["33 million values in JSON"][2] else {200, 429, 504}
    assert set(statuses) <= refused
    unharmed(release, gateway, pods)


@pytest.mark.parametrize("kind", ["v2", "stream"])
def test_over_grpc(release: Release, gateway: Gateway, pods: list[Pod], say: Say, kind: str) -> None:
    method, message = OVER_GRPC[kind]
    address = gateway.url.removeprefix("http://") + ":80"
    codes = codes_at_once(address, method, message(file_of_many_bytes()), release.grpc_host)
    say(f"{COUNT} times {method}: {dict(codes)}; {memory(release, pods)}")
    assert set(codes) <= {"OK", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"}
    unharmed(release, gateway, pods)


def memory(release: Release, pods: list[Pod]) -> str:
    """The most that each pod has held since it was started, of its limit."""
    found = []
    for pod in pods:
        peak, limit = release.namespace.kubectl("exec", pod.name, "--", "python3", "-c", MEMORY).split()
        assert int(peak) <= int(limit)
        found.append(f"{int(peak) // MIB} of {int(limit) // MIB} MiB")
    return ", ".join(found)


def unharmed(release: Release, gateway: Gateway, pods: list[Pod]) -> None:
    """The same pods, never restarted, ready, and reading."""
    now = [*release.pods("transformer"), *release.pods("predictor")]
    assert [(pod.uid, pod.restarts) for pod in now] == [(pod.uid, pod.restarts) for pod in pods]
    assert all(pod.ready for pod in now)
    with gateway.client() as client:
        assert gateway.read(client, images.line()).text == images.TEXT
