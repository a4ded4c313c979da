"""The benchmark's wire formats against the service: each asks as its clients do, and reads the same lines out of the answer."""

from pathlib import Path

import pytest

from bench.service import drive, request
from bench.wire import ALL, PIPELINE, RAW, WireFormat
from tests.services import Service

IMAGE = Path(__file__).parents[1] / "data" / "075.jpg"


def lines(service: Service, wire: WireFormat) -> list[str]:
    answers, _ = drive(int(service.url.rpartition(":")[2]), [request(IMAGE, wire)], 1)
    return answers[0].lines(wire)


@pytest.mark.parametrize("wire", ALL, ids=lambda wire: wire.name)
def test_each_format_reads_the_same_lines(service: Service, wire: WireFormat) -> None:
    found = lines(service, wire)
    assert len(found) > 20
    assert found == lines(service, RAW)


def test_a_line_of_the_old_server_without_text_is_one_without_text() -> None:
    value = "[(('', nan), [[1, 2]]), (('TOTAL', 0.9), [[3, 4]])]"
    assert PIPELINE.texts({"err_no": 0, "err_msg": "", "value": [value]}) == ["", "TOTAL"]


def test_an_error_of_the_old_server_is_raised() -> None:
    with pytest.raises(RuntimeError, match="err_no 8"):
        PIPELINE.texts({"err_no": 8, "err_msg": "no image", "value": []})
