"""What is refused: with a sentence that names the reason, at once, and without memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ppocr_api.errors import ImageTooLarge, InvalidImage
from tests.transformer.images import harmless, nasty
from transformer.images import decode

ROOT = Path(__file__).parents[3]


def probe(corpus: str) -> dict[str, dict[str, Any]]:
    command = [sys.executable, "-m", "tests.transformer.images.probe", corpus]
    # Freed memory goes back to the system at once, so that the peak is that of one picture.
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "1048576"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", nasty.TOO_LARGE)
def test_too_large(name: str) -> None:
    with pytest.raises(ImageTooLarge, match=r"the image (has|would take)"):
        decode(nasty.TOO_LARGE[name]())


@pytest.mark.parametrize("name", nasty.NOT_READ)
def test_not_read(name: str) -> None:
    refuse(*nasty.NOT_READ[name])


@pytest.mark.parametrize("name", nasty.DAMAGED)
def test_damaged(name: str) -> None:
    refuse(*nasty.DAMAGED[name])


def refuse(make: Callable[[], bytes], sentence: str) -> None:
    with pytest.raises(InvalidImage) as caught:
        decode(make())
    assert sentence in caught.value.message
    assert "/" not in caught.value.message.replace("8/16", "")
    assert "OpenCV" not in caught.value.message


@pytest.fixture(scope="module")
def costs() -> dict[str, dict[str, Any]]:
    return probe("corpus")


@pytest.mark.parametrize("name", nasty.CORPUS)
def test_costs_less_than_100_ms_and_50_mb(name: str, costs: dict[str, dict[str, Any]]) -> None:
    assert costs[name]["outcome"] in ("InvalidImage", "NotAnImage", "ImageTooLarge")
    assert costs[name]["seconds"] < 0.1
    assert costs[name]["memory"] < 50e6


def test_hidden_bombs_cost_nothing() -> None:
    costs = probe("harmless")
    assert costs.keys() == harmless.HARMLESS.keys()
    for name, cost in costs.items():
        assert cost["outcome"] in ("8 x 8", "56 x 40"), name
        assert cost["seconds"] < 0.1, name
        assert cost["memory"] < 5e6, name


def test_a_good_image_is_read_after_all_of_them() -> None:
    for make in nasty.CORPUS.values():
        with pytest.raises((InvalidImage, ImageTooLarge)):
            decode(make())
    assert decode(nasty.PNG).shape == (40, 56, 3)


def test_the_decoders_keep_the_log_clean(capfd: pytest.CaptureFixture[str]) -> None:
    for name in (
        "TIFF of floats of 64 bits",
        "TIFF whose strip is too short",
        "BMP of 3 bits",
        "GIF whose pixels end early",
    ):
        with pytest.raises(InvalidImage):
            decode(nasty.CORPUS[name]())
    assert capfd.readouterr().err == ""
