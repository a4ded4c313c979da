"""The four modules of PaddleHub Serving as tools/test_hubserving.py asks them, each on the port that it had."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from tests.services import Service, all_in_one, free_port
from tests.transformer.images import nasty

RECEIPT = Path(__file__).parent.parent / "data" / "075.jpg"
TITLE = "LIAN HING STATIONERY SDN BHD"
MODULES = ("ocr_det", "ocr_cls", "ocr_rec", "ocr_system")


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    """A port for each module."""
    return {module: free_port() for module in MODULES}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, ports: dict[str, int]) -> Iterator[Service]:
    """`ppocr serve` with these ports."""
    flags = ("--hubserving_ports", ",".join(map(str, ports.values())))
    with all_in_one(tmp_path_factory.mktemp("hub") / "log", *flags) as service:
        yield service


@pytest.fixture(scope="module")
def urls(hub: Service, ports: dict[str, int]) -> dict[str, str]:
    """The URL of each module, on its port."""
    return {module: f"http://127.0.0.1:{port}/predict/{module}" for module, port in ports.items()}


def asked(url: str, *images: bytes) -> Any:
    """The results, by a client that looks at nothing else."""
    data = {"images": [base64.b64encode(image).decode("utf8") for image in images]}
    answer = httpx.post(url, headers={"Content-type": "application/json"}, content=json.dumps(data), timeout=60)
    envelope = answer.json()
    assert (answer.status_code, envelope["msg"], envelope["status"]) == (200, "", "000")
    return envelope["results"]


@pytest.fixture(scope="module")
def page(urls: dict[str, str]) -> list[Any]:
    """The receipt's lines, as ocr_system has them."""
    (lines,) = asked(urls["ocr_system"], RECEIPT.read_bytes())
    assert TITLE in [line["text"] for line in lines]
    return list(lines)


def line_of(page: list[Any], turned: bool = False) -> bytes:
    """The picture of the title alone."""
    corners = np.array(next(line["text_region"] for line in page if line["text"] == TITLE))
    (left, top), (right, bottom) = corners.min(0), corners.max(0)
    crop = cv2.imdecode(np.frombuffer(RECEIPT.read_bytes(), np.uint8), cv2.IMREAD_COLOR)[top:bottom, left:right]
    done, data = cv2.imencode(".png", np.rot90(crop, 2) if turned else crop)
    assert done
    return data.tobytes()


def test_detection_finds_the_lines_that_the_system_reads(urls: dict[str, str], page: list[Any]) -> None:
    (found,) = asked(urls["ocr_det"], RECEIPT.read_bytes())
    assert all(list(each) == ["text_region"] for each in found)
    # A line that was read turned begins at another corner.
    regions = [sorted(each["text_region"]) for each in found]
    assert all(sorted(line["text_region"]) in regions for line in page)


def test_recognition_reads_lines_and_leaves_out_what_is_no_image(urls: dict[str, str], page: list[Any]) -> None:
    blank = cv2.imencode(".png", np.full((48, 320, 3), 255, np.uint8))[1].tobytes()
    ((first, second),) = asked(urls["ocr_rec"], b"no image", line_of(page), blank)
    assert first["text"] == TITLE and first["confidence"] > 0.9
    assert second == {"confidence": 0.0, "text": ""}


def test_the_classifier_says_which_line_stands_upside_down(urls: dict[str, str], page: list[Any]) -> None:
    ((upright, turned),) = asked(urls["ocr_cls"], line_of(page), line_of(page, turned=True))
    assert (upright["angle"], turned["angle"]) == ("0", "180")
    assert min(upright["confidence"], turned["confidence"]) > 0.5


def test_an_image_that_can_not_be_decoded_has_an_empty_place(urls: dict[str, str], page: list[Any]) -> None:
    half = RECEIPT.read_bytes()[: RECEIPT.stat().st_size // 2]
    assert asked(urls["ocr_system"], b"no image", RECEIPT.read_bytes(), half) == [[], page, []]


def test_an_image_over_the_limits_is_no_empty_list(urls: dict[str, str]) -> None:
    bomb = nasty.CORPUS["PNG of 30,000 x 30,000"]()
    data = {"images": [base64.b64encode(bomb).decode()]}
    answer = httpx.post(urls["ocr_system"], json=data, timeout=60)
    assert (answer.status_code, answer.json()["status"], answer.json()["results"]) == (413, "101", "")


def test_metrics_count_what_a_200_hides(hub: Service, urls: dict[str, str]) -> None:
    """An error inside of a 200 has its own code in the metrics, under the route."""
    counted = 'ppocr_requests_total{code="400",route="/predict/{module}"}'

    def count() -> float:
        lines = httpx.get(f"{hub.url}/metrics").text.splitlines()
        return next((float(line.split()[-1]) for line in lines if line.startswith(counted)), 0.0)

    before = count()
    assert httpx.post(urls["ocr_system"], json={"images": ["abcde"]}, timeout=60).json()["status"] == "101"
    assert count() == before + 1
