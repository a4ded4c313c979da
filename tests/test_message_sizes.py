"""Messages between transformer and predictor that are too large: the caller's 413, never a 429."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from ppocr.listen import MessageSettings
from ppocr_api.errors import PayloadTooLarge
from ppocr_client import Client
from tests import services
from tests.services import Service
from transformer.predictor_client import MESSAGE_OVERHEAD_BYTES
from transformer.settings import ReaderSettings

#: Between what the lines of the receipt need, 1.36 million, and what its detection needs at full size, 1.7.
LIMIT = 1_500_000
SMALL = f"--max_message_bytes={LIMIT}"


@pytest.fixture(scope="module", params=["transformer", "predictor"])
def small(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A transformer in front of a predictor; one of the two takes small messages alone."""
    folder = tmp_path_factory.mktemp("small")
    flags = {request.param: (SMALL,)}
    with (
        services.predictor(folder / "predictor.log", *flags.get("predictor", ())) as predictor,
        services.transformer(folder / "transformer.log", predictor.grpc, *flags.get("transformer", ())) as transformer,
    ):
        yield transformer


def test_too_large_is_413_and_names_the_limit(small: Service, receipt: bytes) -> None:
    url = f"{small.url}/v1/models/ppocr:predict"
    answer = httpx.post(url, content=receipt, headers={"content-type": "image/jpeg"}, timeout=60)
    assert answer.status_code == 413, answer.text
    assert "retry-after" not in answer.headers
    assert "max_message_bytes" in answer.json()["error"]
    with Client(small.url) as client, pytest.raises(PayloadTooLarge):
        client.read(receipt)


def test_what_fits_is_read(small: Service, receipt: bytes) -> None:
    with Client(small.url) as client:
        assert client.read(receipt, text_det_limit_side_len=320).width


def test_the_default_holds_all_that_the_defaults_of_an_image_allow() -> None:
    largest = max(ReaderSettings.max_line_pixels, ReaderSettings.max_image_pixels)
    # Each line has at least 48x32 pixels, and a width of 4 bytes.
    widths = 4 * ReaderSettings.max_line_pixels // (48 * 32)
    assert 3 * largest + widths + MESSAGE_OVERHEAD_BYTES <= MessageSettings.max_message_bytes
