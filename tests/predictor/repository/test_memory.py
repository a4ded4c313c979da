"""Whether a further version fits into memory."""

from __future__ import annotations

import numpy as np
import pytest

from ppocr_api.errors import Unavailable
from predictor.bundle import MEMORY_PER_FILE_SIZE, Bundle
from predictor.loading import find
from predictor.repository import memory
from predictor.settings import NetworkSettings

MIB = 1 << 20


@pytest.fixture
def bundle() -> Bundle:
    return find(NetworkSettings()).open()


def test_a_version_needs_what_its_files_say_or_what_those_before_it_took(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_files = MEMORY_PER_FILE_SIZE * bundle.network_bytes
    monkeypatch.setattr(memory, "available", lambda: of_files + MIB)
    memory.require(bundle, 0)
    memory.require(bundle, of_files + MIB)
    with pytest.raises(Unavailable, match=f"needs about {(of_files >> 20) + 2} MiB of memory"):
        memory.require(bundle, of_files + 2 * MIB)
    monkeypatch.setattr(memory, "available", lambda: of_files - MIB)
    with pytest.raises(Unavailable, match=r"serve fewer versions at the same time"):
        memory.require(bundle, 0)


def test_what_is_in_memory_is_shared_out_among_the_versions() -> None:
    # What other tests of this process left would go back meanwhile.
    memory.release_freed()
    estimate = memory.MemoryEstimate()
    assert estimate.per_version(0) == 0
    held = np.ones(200 * MIB, np.uint8)
    assert 190 * MIB < estimate.per_version(1) < 230 * MIB
    assert 95 * MIB < estimate.per_version(2) < 115 * MIB
    assert held[0] == 1
