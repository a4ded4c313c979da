"""Numbers too large for Python or NumPy are the caller's mistake."""

from __future__ import annotations

import pytest

from ppocr.serving import v2_rest
from ppocr.serving.tensors import check_shape
from ppocr_api.errors import InvalidRequest


@pytest.mark.parametrize("shape", [(0, 2**31 - 1, 2**31 - 1, 2**31 - 1), (2**16, 2**16), (1, 0, 2**31 - 1, 2)])
def test_a_shape_that_no_array_has(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidRequest):
        check_shape("x", shape)


def test_an_empty_shape_is_one() -> None:
    assert check_shape("x", (0, 3)) == (0, 3)


@pytest.mark.parametrize("digits", [20, 4301, 5000])
def test_a_length_of_thousands_of_digits(digits: int) -> None:
    with pytest.raises(InvalidRequest) as refused:
        v2_rest.decode(b"{}", {v2_rest.LENGTH_HEADER: "9" * digits}, "ppocr")
    assert len(refused.value.message) < 200
