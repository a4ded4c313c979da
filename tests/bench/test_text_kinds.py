"""A few images of each kind of text, read by a real service: what is in them is what has to be read."""

from __future__ import annotations

import os
import statistics

import pytest

from bench.text import fonts, reading
from bench.text.case import Kind
from bench.text.kinds import kinds
from tests import needs
from tests.services import Service

SEED, COUNT = 1, 3
#: Above it a bar permits mistakes, and holds for the mean of several images. Of the others one image is read by day.
EXACT = 0.05


@pytest.fixture(scope="module", autouse=True)
def _fonts() -> None:
    try:
        fonts.fetch(fonts.FOLDER)
    except OSError as error:
        needs.missing("the fonts", str(error))


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.name)
def test_images_of_each_kind_are_read(service: Service, kind: Kind) -> None:
    cases = kind.cases(SEED, COUNT if os.environ.get("PPOCR_NIGHTLY") or kind.bar > EXACT else 1)
    errors = {case.name: kind.error(case, reading.read(service.url, case)) for case in cases}
    assert statistics.fmean(errors.values()) <= kind.bar, errors


def test_the_same_seed_draws_the_same_images() -> None:
    for kind in kinds():
        first, second = kind.cases(5, 1), kind.cases(5, 1)
        assert [case.image for case in first] == [case.image for case in second]
        assert [case.expected for case in first] != [case.expected for case in kind.cases(6, 1)]
