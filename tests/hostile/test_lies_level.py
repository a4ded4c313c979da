"""Lies of a predictor, one after another, and clients that leave one which hangs: the transformer's memory and files stay level.

Fifty lies a round by day, five hundred with PPOCR_NIGHTLY=1. The lowest levels are compared: from round to round the level
goes up and down by some percent.
"""

from __future__ import annotations

import asyncio
import http.client
import itertools
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ppocr_api.errors import BadAnswer
from tests import services
from tests.hostile.asking import IMAGE, V1, post
from tests.hostile.test_churn import MIB, open_files
from tests.services import Service
from tests.transformer.lying import Liar, served, unchanged
from tests.transformer.test_lying_predictor import DET_LIES, REC_LIES
from tests.transformer.test_lying_predictor import IMAGE as PAGE

pytestmark = pytest.mark.alone

ROUNDS, LIES = 16, 500 if os.environ.get("PPOCR_NIGHTLY") == "1" else 50
CLIENTS = 60
LEFT_AFTER = 0.5  # seconds


async def test_memory_and_files_stay_level(tmp_path: Path) -> None:
    liar = Liar()
    port = services.free_port()
    async with served(liar, port):
        await asyncio.to_thread(_lied_to, liar, port, tmp_path / "log")


def _lied_to(liar: Liar, port: int, log: Path) -> None:
    with services.running(
        ["transformer", "--host", "127.0.0.1", "--predictor_host", f"127.0.0.1:{port}"], log
    ) as service:
        lies = itertools.cycle(
            [*(("det", lie) for lie in DET_LIES.values()), *(("rec", lie) for lie in REC_LIES.values())]
        )
        levels, files = [], 0
        for _ in range(ROUNDS):
            for number, (network, lie) in enumerate(itertools.islice(lies, LIES)):
                setattr(liar, network, lie)
                liar.identity = f"lying/{number}@ffff" if number % 50 == 0 else Liar().identity
                assert post(service, V1, PAGE, IMAGE)[0] == BadAnswer.http
                setattr(liar, network, unchanged)
            levels.append(service.rss_bytes() // MIB)
            files = files or open_files(service)
        print(f"{LIES} lies a round: {levels} MiB")
        quarter = ROUNDS // 4  # the first one is left out: until then the level rises
        assert min(levels[-quarter:]) < 1.05 * min(levels[quarter : 2 * quarter])
        liar.identity = Liar().identity
        _hang(liar, service)
        once = service.rss_bytes()  # so many at once take more than one after another
        _hang(liar, service)
        assert open_files(service) <= files + CLIENTS // 10
        assert service.rss_bytes() < 1.05 * once


def _hang(liar: Liar, service: Service) -> None:
    """Everybody leaves a predictor that says nothing; the next one is answered."""

    async def silent(_: Any) -> None:
        await asyncio.sleep(30)

    def leaves(_: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", service.http_port, timeout=LEFT_AFTER)
        with pytest.raises(TimeoutError):
            connection.request("POST", V1, PAGE, IMAGE)
            connection.getresponse()
        connection.close()

    liar.fail = silent
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(leaves, range(CLIENTS)))
    liar.fail = None
    assert post(service, V1, PAGE, IMAGE)[0] == 200
