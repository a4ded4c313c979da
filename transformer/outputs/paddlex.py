"""Results under PaddleOCR 3's names: `prunedResult` and the pictures."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from ppocr.contract import DETECTION
from ppocr_api.document import Page, Point, Points
from ppocr_api.errors import PpocrError
from transformer.algorithms.detection_parameters import DetectionParameters
from transformer.outputs.annotate import annotate
from transformer.outputs.page import outlines
from transformer.parameters import Parameters
from transformer.pipeline.page import PageInWork

if TYPE_CHECKING:
    from ppocr.contract import U8

#: The longest side of a page that the detection network is given, if the bundle says nothing.
MAX_SIDE = 4000
_CORNERS: Final = [[120, 33], [301, 33], [301, 58], [120, 58]]
#: An element of `ocrResults`, for documentation.
EXAMPLE: Final = {
    "prunedResult": {
        "model_settings": {"use_doc_preprocessor": False, "use_textline_orientation": False},
        "dt_polys": [_CORNERS],
        "text_type": "general",
        "text_rec_score_thresh": 0.0,
        "return_word_box": False,
        "rec_texts": ["TAX INVOICE"],
        "rec_scores": [0.9981],
        "rec_polys": [_CORNERS],
        "rec_boxes": [[120, 33, 301, 58]],
    }
}


@dataclass
class Result:
    """One page's result. `see` is called with the page while its pixels are there; `of` writes it."""

    pictures: bool
    _parameters: Parameters = field(default_factory=Parameters)
    _from_work: dict[str, Any] = field(default_factory=dict)
    _pictures: dict[str, str] = field(default_factory=dict)

    def see(self, _index: int, work: PageInWork, page: Page) -> None:
        """Keeps what the document model doesn't have: all boxes, the effective parameters, and the pictures."""
        order = [] if work.order is None else work.order.tolist()
        angles = [-1] * len(order) if work.line_angles is None else (work.line_angles[order] // 180).tolist()
        found = outlines(work)
        boxes = [_whole(found[index], page) for index in order]
        self._from_work = {
            "dt_polys": boxes,
            "text_det_params": _detection(work),
            "text_type": "general",
            **({"textline_orientation_angles": angles} if order else {}),
            "text_rec_score_thresh": work.parameters.text_rec_score_thresh or 0.0,
            "return_word_box": work.parameters.return_word_box,
        }
        self._parameters = work.parameters
        if self.pictures:
            self._pictures = _pictures(work, page)

    def of(self, page: Page) -> dict[str, Any]:
        """An element of `ocrResults`. Points are those of the upright page, as in PaddleOCR."""
        turned = self._parameters.use_doc_orientation_classify
        polys = [_whole(line.points, page) for line in page.lines]
        pruned = {
            "model_settings": {
                "use_doc_preprocessor": turned,
                "use_textline_orientation": self._parameters.use_textline_orientation,
            },
            **({"doc_preprocessor_res": _preprocessor(page)} if turned else {}),
            **self._from_work,
            "rec_texts": [line.text for line in page.lines],
            "rec_scores": [line.confidence for line in page.lines],
            "rec_polys": polys,
            "rec_boxes": [_sides(poly) for poly in polys],
        }
        if self._parameters.return_word_box:
            words = [line.words or () for line in page.lines]
            pruned["text_word_boxes"] = [[_sides(_whole(word.points, page)) for word in line] for line in words]
            pruned["text_word"] = [[word.text for word in line] for line in words]
        return {"prunedResult": pruned, **self._pictures}


def upright(points: Points, page: Page) -> list[Point]:
    """`points` of the image as it was sent as points of the page after it was turned upright."""
    width, height = page.width, page.height
    if page.angle == 90:
        return [(y, width - 1 - x) for x, y in points]
    if page.angle == 180:
        return [(width - 1 - x, height - 1 - y) for x, y in points]
    if page.angle == 270:
        return [(height - 1 - y, x) for x, y in points]
    return list(points)


def _detection(work: PageInWork) -> dict[str, Any]:
    network = work.facts.of_task(DETECTION)
    assert network is not None  # the page was read with it
    used = DetectionParameters.of(network, work.parameters)
    return {
        "limit_side_len": int(used.limit_side_len),
        "limit_type": used.limit_type,
        "thresh": used.thresh,
        "max_side_limit": min(MAX_SIDE, network.grid.height.maximum),
        "box_thresh": used.box_thresh,
        "unclip_ratio": used.unclip_ratio,
    }


def _preprocessor(page: Page) -> dict[str, Any]:
    settings = {"use_doc_orientation_classify": True, "use_doc_unwarping": False}
    return {"model_settings": settings, "angle": page.angle}


def _whole(points: Points, page: Page) -> list[list[int]]:
    return [[round(x), round(y)] for x, y in upright(points, page)]


def _sides(points: list[list[int]]) -> list[int]:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return [min(xs), min(ys), max(xs), max(ys)]


def _pictures(work: PageInWork, page: Page) -> dict[str, str]:
    """JPEG files as base64, in PaddleX' order."""
    image = _page_alone(work)
    boxes = [np.array(upright(line.points, page), np.float32) for line in page.lines]
    drawn = annotate(image, boxes, [line.text for line in page.lines])
    pictures = {"ocrImage": _jpeg(drawn)}
    if work.parameters.use_doc_orientation_classify:
        pictures["docPreprocessingImage"] = _jpeg(image)
    pictures["inputImage"] = _jpeg(_as_sent(image, work.angle))
    return pictures


def _page_alone(work: PageInWork) -> U8:
    """The upright page, without the margin around it and the lines that were laid straight below it."""
    height, width = work.size if work.angle % 180 == 0 else work.size[::-1]
    return np.ascontiguousarray(work.image[work.margin : work.margin + height, work.margin : work.margin + width])


def _as_sent(image: U8, angle: int) -> U8:
    """The upright page turned back by `angle` degrees clockwise."""
    return np.ascontiguousarray(np.rot90(image, -angle // 90)) if angle else image


def _jpeg(image: U8) -> str:
    done, coded = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    if not done:
        raise PpocrError("the picture could not be written as JPEG")
    return base64.b64encode(coded.tobytes()).decode()
