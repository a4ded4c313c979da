"""Fixtures of the repository's tests."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests import services, two_models
from tests.repository.pair import Pair
from tests.two_models import NAME


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Two versions may be in memory; one that was swapped out goes at once."""
    folder = tmp_path_factory.mktemp("repository")
    root = folder / "models"
    for version, source in enumerate(two_models.models(), start=1):
        two_models.put(root, version, source)
    flags = ("--model_dir", str(root), "--bundle", NAME, "--bundle_version", "1", "--repository_api")
    quick = ("--side_by_side", "2", "--swap_grace_seconds", "0", "--swap_warm_up_seconds", "0.5")
    with (
        services.predictor(folder / "predictor.log", *flags, *quick) as predictor,
        services.transformer(folder / "transformer.log", predictor.grpc) as transformer,
    ):
        yield Pair(predictor, transformer, root)


@pytest.fixture
def fresh(pair: Pair) -> Pair:
    """With version 1 alone in memory, whatever a test before did."""
    assert pair.load("1").status_code == 200
    for other in [label for label, each in pair.index().items() if each["state"] == "READY" and label != f"{NAME}/1"]:
        body = {"parameters": {"version": other.rpartition("/")[2]}}
        httpx.post(f"{pair.predictor.url}/v2/repository/models/{NAME}/unload", json=body, timeout=60).raise_for_status()
    return pair
