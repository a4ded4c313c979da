"""Clients as PaddleX' documentation has them, in several languages, and what the options change."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from tests import needs
from tests.services import Service

HERE = Path(__file__).parent
CLIENTS = HERE / "paddlex_clients"
IMAGE = HERE.parent / "data" / "075.jpg"
TITLE = "LIAN HING STATIONERY SDN BHD"


def picture(data: bytes) -> Any:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def asked(service: Service, image: bytes, **options: Any) -> Any:
    body = {"file": base64.b64encode(image).decode(), "fileType": 1, "visualize": False, **options}
    (result,) = (
        httpx.post(f"{service.url}/ocr", json=body, timeout=60).raise_for_status().json()["result"]["ocrResults"]
    )
    return result


def turned(times: int) -> bytes:
    """The receipt, turned clockwise by as many quarters."""
    done, data = cv2.imencode(".png", np.rot90(picture(IMAGE.read_bytes()), -times))
    assert done
    return data.tobytes()


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        (sys.executable, ["client.py"]),
        ("go", ["run", "client.go"]),
        ("node", ["client.mjs"]),
        ("java", ["Client.java"]),
        ("php", ["client.php"]),
    ],
    ids=["python", "go", "javascript", "java", "php"],
)
def test_a_client_reads_and_gets_its_picture(
    service: Service, tmp_path: Path, program: str, arguments: list[str]
) -> None:
    *options, source = arguments
    path = program if program == sys.executable else needs.program(program)
    command = [path, *options, str(CLIENTS / source), f"{service.url}/ocr", str(IMAGE)]
    output = subprocess.check_output(command, cwd=tmp_path, text=True, timeout=300)
    expected = asked(service, IMAGE.read_bytes())["prunedResult"]["rec_texts"]
    assert TITLE in expected and len(expected) > 20
    assert output.splitlines() == expected
    image = picture((tmp_path / "ocr_0.jpg").read_bytes())
    height, width = picture(IMAGE.read_bytes()).shape[:2]
    assert image.shape[1] / image.shape[0] > width / height * 1.2  # the texts stand beside the page


def test_the_answer_says_with_what_it_was_read(service: Service) -> None:
    plain = asked(service, IMAGE.read_bytes())["prunedResult"]
    assert plain["model_settings"] == {"use_doc_preprocessor": False, "use_textline_orientation": False}
    assert plain["textline_orientation_angles"] == [-1] * len(plain["dt_polys"])
    chosen = asked(service, IMAGE.read_bytes(), textDetLimitSideLen=640, textDetBoxThresh=0.7, textRecScoreThresh=0.9)
    used = chosen["prunedResult"]["text_det_params"]
    assert (used["limit_side_len"], used["box_thresh"]) == (640, 0.7)
    assert plain["text_det_params"]["limit_side_len"] == 960
    assert {*used} == {"limit_side_len", "limit_type", "thresh", "max_side_limit", "box_thresh", "unclip_ratio"}
    assert min(chosen["prunedResult"]["rec_scores"]) >= 0.9
    assert len(chosen["prunedResult"]["dt_polys"]) > len(chosen["prunedResult"]["rec_texts"])


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turned_page_is_answered_upright_with_its_pictures(service: Service, quarters: int) -> None:
    result = asked(service, turned(quarters), useDocOrientationClassify=True, visualize=True)
    pruned = result["prunedResult"]
    assert pruned["doc_preprocessor_res"]["angle"] == 90 * quarters
    upright = asked(service, IMAGE.read_bytes())["prunedResult"]
    assert pruned["rec_texts"][:3] == upright["rec_texts"][:3]
    assert np.abs(np.array(pruned["rec_boxes"][:3]) - upright["rec_boxes"][:3]).max() <= 3
    sizes = {
        name: picture(base64.b64decode(result[name])).shape[:2] for name in ("inputImage", "docPreprocessingImage")
    }
    height, width = picture(IMAGE.read_bytes()).shape[:2]
    assert sizes["docPreprocessingImage"] == (height, width)
    assert sizes["inputImage"] == ((width, height) if quarters % 2 else (height, width))


def test_words_and_turned_lines(service: Service) -> None:
    words = asked(service, IMAGE.read_bytes(), returnWordBox=True)["prunedResult"]
    assert "".join(words["text_word"][0]) == words["rec_texts"][0].replace(" ", "")
    assert [len(line) for line in words["text_word"]] == [len(line) for line in words["text_word_boxes"]]
    lines = asked(service, turned(2), useTextlineOrientation=True)["prunedResult"]
    assert set(lines["textline_orientation_angles"]) <= {0, 1}
    assert sum(lines["textline_orientation_angles"]) > len(lines["dt_polys"]) / 2
