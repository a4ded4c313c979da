from __future__ import annotations

import cv2
import numpy as np
import pytest

from transformer.outputs import annotate as module
from transformer.outputs.annotate import annotate

BOXES = np.array(
    (((100, 100), (500, 110), (498, 160), (98, 150)), ((100, 300), (500, 300), (500, 340), (100, 340))), np.float32
)


def grey(height: int, width: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.full((height, width, 3), 200, np.uint8)


@pytest.mark.parametrize("fonts", [module.FONTS, ()], ids=["system font", "OpenCV's font"])
def test_boxes_lie_on_the_image_and_texts_beside_it(fonts: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FONTS", fonts)
    image = grey(900, 600)
    picture = annotate(image, list(BOXES), ["TOTAL 12.50", "总计"])
    assert picture.dtype == np.uint8 and picture.shape[0] == 900 and picture.shape[1] > 700
    page, panel = picture[:, :600], picture[:, 600:]
    for box, colour in zip(BOXES, module.COLOURS, strict=False):
        x, y = (box[0] + box[1]) / 2
        assert np.abs(page[int(y), int(x)].astype(int) - colour).max() < 60
    assert (page[120:140, 200:400] == 200).all(), "the text itself must stay legible"
    assert (image == 200).all(), "the caller's image must stay as it was"
    assert (panel.min(axis=(1, 2)) < 128).sum() > 10 and (panel == 255).mean() > 0.8


def test_the_panel_grows_with_its_lines() -> None:
    picture = annotate(grey(800, 800), list(np.repeat(BOXES, 60, axis=0)), ["x"] * 120)
    assert picture.shape[0] > 120 * 14


def test_large_images_shrink_and_small_ones_grow() -> None:
    assert annotate(grey(7016, 100), [], []).shape[0] == module.LONGEST
    assert annotate(grey(1, 1), [], []).shape[0] == module.SHORTEST


def test_a_box_at_the_border_keeps_its_number_inside() -> None:
    corner = np.array((((799, 799), (799, 799), (799, 799), (799, 799)),), np.float32)
    assert annotate(grey(800, 800), list(corner), ["x"]).shape[0] == 800


def test_pillow_without_a_system_font_falls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FONTS", ())
    assert module._pillow(20) is None


@pytest.mark.parametrize("fonts", [module.FONTS, ()], ids=["system font", "OpenCV's font"])
def test_long_texts_are_cut_and_the_picture_stays_one_that_can_be_sent(
    fonts: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FONTS", fonts)
    short, long = ["12.50"] * 300, ["永" * 3000, "W" * 7000, "i" * 7000, "a\nb\0c"]
    picture = annotate(grey(800, 800), list(np.repeat(BOXES, 152, axis=0)), [*short, *long])
    height, width = picture.shape[0], picture.shape[1] - 800
    assert height > 300 * 14 and width * height <= module.PANEL * 1.01
    assert cv2.imencode(".jpg", picture)[0]
    (alone,) = (annotate(grey(10, 3000), [], [text]) for text in long[1:2])
    assert alone.shape[1] <= module.LONGEST + module.WIDEST and cv2.imencode(".jpg", alone)[0]


def test_of_thousands_of_lines_the_first_are_listed() -> None:
    picture = annotate(grey(800, 800), list(np.repeat(BOXES, 1500, axis=0)), ["x"] * 3000)
    assert 500 * 14 < picture.shape[0] < 502 * 28 and picture.nbytes < 64 * 2**20


def test_a_text_is_cut_where_the_list_ends() -> None:
    lines, width = module._within(["12", "123456789"], 29, lambda text: float(len(text)))
    assert (lines, width) == (["12", "1234…"], 29)
    assert module._within(["12"], 400, lambda text: float(len(text)))[0] == ["12"]
