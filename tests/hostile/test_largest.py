"""Twenty of the largest permitted requests of each kind at once, in the memory that the chart gives. At night; takes minutes."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.control_group import MIB
from tests.hostile.asking import V1, at_once
from tests.hostile.largest import COUNT, FILES, OVER_GRPC, OVER_HTTP, codes_at_once
from tests.hostile.pair import Pair, started

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(os.environ.get("PPOCR_NIGHTLY") != "1", reason="at night alone (PPOCR_NIGHTLY=1)"),
]

TRANSFORMER, PREDICTOR = 2048 * MIB, 3072 * MIB


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with started(tmp_path_factory.mktemp("largest"), TRANSFORMER, PREDICTOR) as both:
        yield both


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("kind", OVER_HTTP)
def test_over_http(pair: Pair, kind: str, file: str) -> None:
    path, headers, body = OVER_HTTP[kind]
    pair.transformer.reset_peak()
    statuses = Counter(at_once(pair.transformer, path, [body(FILES[file]())] * COUNT, headers))
    print(kind, file, dict(statuses), pair.transformer.peak_bytes() // MIB, pair.predictor.peak_bytes() // MIB)
    # Twenty of them are a minute's work and more: what comes too late is told so.
    assert set(statuses) <= {200, 429, 504}
    pair.check()


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("kind", OVER_GRPC)
def test_over_grpc(pair: Pair, kind: str, file: str) -> None:
    method, message = OVER_GRPC[kind]
    pair.transformer.reset_peak()
    codes = codes_at_once(pair.transformer.grpc, method, message(FILES[file]()))
    print(kind, file, dict(codes), pair.transformer.peak_bytes() // MIB, pair.predictor.peak_bytes() // MIB)
    assert set(codes) <= {"OK", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"}
    pair.check()


def test_after_all_of_it_a_receipt_is_read(pair: Pair, receipt: bytes) -> None:
    assert at_once(pair.transformer, V1, [receipt]) == [200]
