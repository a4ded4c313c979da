"""Two models with different character sets change places while clients read: nothing fails, and nothing is misread.

By the API six times, which shows that memory stays level too; by the watched folder twice. PPOCR_NIGHTLY=1: ten times each.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from tests import services, two_models
from tests.services import Service
from tests.two_models import NAME, Readers, Texts

CLIENTS = 4
SWAPS, SWAPS_OF_FOLDER = (10, 10) if os.environ.get("PPOCR_NIGHTLY") else (6, 2)
#: MiB that the smaller of the models takes, at the least.
ONE_MODEL = 150
SECONDS = 60.0 if os.environ.get("PPOCR_NIGHTLY") else 20.0
#: Short, so that ten swaps don't take long: an image whose lines come later is read again.
QUICK = ("--swap_grace_seconds", "0.5", "--swap_warm_up_seconds", "1")


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Texts]]:
    """What each model reads; they differ, or the rest would show nothing."""
    folder = tmp_path_factory.mktemp("known")
    for version, source in enumerate(two_models.models(), start=1):
        two_models.put(folder, version, source)
    read = {model: two_models.texts(folder, version, folder) for version, model in (("1", "v6"), ("2", "v4"))}
    assert all(one != other for one, other in zip(read["v6"], read["v4"], strict=True))
    return read


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """With version 1, which is v6."""
    two_models.put(tmp_path / "repository", 1, two_models.models()[0])
    return tmp_path / "repository"


async def resident(service: Service, swaps: int) -> int:
    """Resident memory, MiB, when the versions of `swaps` swaps have left: under load the last one may take seconds."""
    async with asyncio.timeout(60):
        while service.log.read_text().count("is unloaded") < swaps:
            await asyncio.sleep(0.05)
    return service.rss_bytes() >> 20


async def swaps(
    count: int,
    url: str,
    known: dict[str, list[Texts]],
    loaded_by: Service,
    swap: Callable[[int], Awaitable[str]],
) -> Readers:
    """CLIENTS read while `swap(number)` brings the next version and says its name, `count` times; then all is as it must be."""
    readers = Readers(url, known)
    pauses: list[float] = []
    levels: list[int] = []
    async with asyncio.TaskGroup() as group:
        clients = [group.create_task(readers.one()) for _ in range(CLIENTS)]
        await readers.until(f"{NAME}/1")
        for number in range(count):
            levels.append(await resident(loaded_by, number))
            began, before = time.monotonic(), len(readers.seconds)
            model = await swap(number)
            await readers.until(model)
            pauses.append(max(readers.seconds[before:]))
            while time.monotonic() - began < SECONDS / SWAPS:
                await readers.until(model)
        readers.stopping = True
    assert all(client.done() for client in clients)
    median = statistics.median(readers.seconds)
    print(
        f"\n{len(readers.seconds)} answers, {len(readers.failed)} failed; median {median * 1000:.0f} ms, "
        f"p99 {two_models.quantile(readers.seconds, 0.99) * 1000:.0f} ms; longest in each swap, ms: "
        f"{[round(pause * 1000) for pause in pauses]}; resident before each swap, MiB: {levels}"
    )
    assert readers.failed == []
    # The same model serves at every second level; the first two are of services that have met few sizes of input.
    if count >= 10:
        late, early = statistics.mean(levels[-4:]), statistics.mean(levels[2:6])
        assert late - early < ONE_MODEL, f"four swaps kept a model in memory: {levels} MiB"
    elif count >= 6:
        late, early = min(levels[-2:]), min(levels[2:4])
        assert late - early < ONE_MODEL, f"two swaps kept a model in memory: {levels} MiB"
    return readers


@pytest.mark.alone  # it measures memory
async def test_swaps_by_the_api_behind_a_transformer(
    tmp_path: Path, repository: Path, known: dict[str, list[Texts]]
) -> None:
    two_models.put(repository, 2, two_models.models()[1])
    flags = ("--model_dir", str(repository), "--repository_api", "--bundle_version", "1", *QUICK)
    with (
        services.predictor(tmp_path / "predictor.log", *flags) as predictor,
        services.transformer(tmp_path / "transformer.log", predictor.grpc) as transformer,
    ):
        async with httpx.AsyncClient(base_url=predictor.url, timeout=60) as inside:

            async def swap(number: int) -> str:
                version = "21"[number % 2]
                body = {"parameters": {"version": version}}
                answer = await inside.post(f"/v2/repository/models/{NAME}/load", json=body)
                assert answer.status_code == 200, answer.text
                return f"{NAME}/{version}"

            by_name = {f"{NAME}/1": known["v6"], f"{NAME}/2": known["v4"]}
            readers = await swaps(SWAPS, transformer.url, by_name, predictor, swap)
            metrics = (await inside.get("/metrics")).text
        assert set(readers.by_model) == set(by_name)
        assert f"ppocr_bundle_loads_total {SWAPS}.0" in metrics
        assert [line for line in metrics.splitlines() if line.startswith("ppocr_bundle_info{")] == [
            f'ppocr_bundle_info{{name="{NAME}",version="1"}} 1.0'
        ]


async def test_swaps_by_the_watched_folder_all_in_one(
    tmp_path: Path, repository: Path, known: dict[str, list[Texts]]
) -> None:
    flags = ("--model_dir", str(repository), "--watch_seconds", "0.2", *QUICK)
    v6, v4 = two_models.models()
    with services.all_in_one(tmp_path / "log", *flags) as service:

        async def swap(number: int) -> str:
            source = (v4, v6)[number % 2]
            await asyncio.to_thread(two_models.put, repository, number + 2, source)
            return f"{NAME}/{number + 2}"

        by_name = {
            f"{NAME}/{version}": known["v6" if version % 2 else "v4"] for version in range(1, SWAPS_OF_FOLDER + 2)
        }
        readers = await swaps(SWAPS_OF_FOLDER, service.url, by_name, service, swap)
        assert set(readers.by_model) == set(by_name)
