"""Orientation networks of lines and pages: rebuilds their output, and defines how an item is scaled to their input size.

The softmax over the classes becomes `label`, the best class, and `probability`, its value of the softmax. A label is the
angle in degrees by which the item is turned clockwise; turned counter-clockwise by as much it is upright.

The parameter `fit` says how an item is scaled to the network's size (transformer/algorithms/thumbnails.py):

| network | size | fit | normalised in |
|---|---|---|---|
| ch_ppocr_mobile_v2.0_cls | 48x192 | `pad`: height 48, ratio kept up to 192 wide, grey on the right | BGR, 0.5 and 0.5 |
| PP-LCNet_x*_textline_ori | 80x160 | `stretch`: both sides scaled | RGB, ImageNet's |
| PP-LCNet_x1_0_doc_ori | 224x224 | `crop`: short side to `short_side`, then the middle | RGB, ImageNet's |

The first is `resize_norm_img` of PaddleOCR's tools/infer/predict_cls.py; the others are what their inference.yml says
(ResizeImage size [160, 80]; ResizeImage resize_short 256 and CropImage 224).
PaddleOCR pads with 0 after the normalisation, which is 127.5 before it: `fill` is 127. PaddleX reads images for its
classification networks in RGB (paddlex/inference/models/image_classification/predictor.py), and turns a page back by
`rotate_image`, counter-clockwise. PaddleOCR's cls turns a line from a probability of 0.9 on (`cls_thresh`).

Without an inference.yml, `short_side` is 320, not 256. Of 63 receipts in four positions, 251 were classified correctly at 256,
with a smallest margin of 0.03, and 252 at 320, with a smallest margin of 0.43. A page is turned from a probability of 0.5 on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onnx import ModelProto, TensorProto

from ppocr.contract import LINE_ORIENTATION, PAGE_ORIENTATION, Normalisation
from ppocr_api.errors import BundleError
from ppocr_convert import fusions, sizes
from ppocr_convert.description import Description
from ppocr_convert.graph import Graph
from ppocr_convert.normalisations import HALF, IMAGENET_RGB
from ppocr_convert.pixel_input import uint8_pixels

INPUTS = {LINE_ORIENTATION: "lines", PAGE_ORIENTATION: "pages"}
LABEL, PROBABILITY = "label", "probability"
LABELS = {LINE_ORIENTATION: ("0", "180"), PAGE_ORIENTATION: ("0", "90", "180", "270")}
PADDED_LINES, PADDED_FILL = (48, 192), 127
SHORT_SIDE = 320
LINE_THRESHOLD, PAGE_THRESHOLD = 0.9, 0.5


@dataclass(frozen=True)
class Fit:
    """How an item is scaled for a network: `size` (height, width), and the parameters for the manifest."""

    size: tuple[int, int]
    normalisation: Normalisation
    parameters: Mapping[str, Any]


def fit_of(model: ModelProto, task: str, description: Description) -> Fit:
    """The fit by the inference.yml, else by the network's input size. Raises BundleError if neither is known."""
    if task == PAGE_ORIENTATION:
        return _page_fit(model, description)
    size = description.size or _input_size(model) or PADDED_LINES
    padded = size == PADDED_LINES and description.size is None
    how: dict[str, Any] = {"fit": "pad", "fill": PADDED_FILL} if padded else {"fit": "stretch"}
    normalisation = description.normalisation or (HALF if padded else IMAGENET_RGB)
    return Fit(size, normalisation, {"threshold": LINE_THRESHOLD, **how})


def _page_fit(model: ModelProto, description: Description) -> Fit:
    how: dict[str, Any] = {"fit": "crop", "short_side": description.short_side or SHORT_SIDE}
    if description.size:
        how = {"fit": "stretch"}
    size = description.crop or description.size or _input_size(model)
    if size is None:
        raise BundleError("neither an inference.yml nor the page orientation network itself gives its input size")
    return Fit(size, description.normalisation or IMAGENET_RGB, {"threshold": PAGE_THRESHOLD, **how})


def _input_size(model: ModelProto) -> tuple[int, int] | None:
    shape = [size.dim_value for size in model.graph.input[0].type.tensor_type.shape.dim]
    return (shape[2], shape[3]) if len(shape) == 4 and shape[2] > 0 and shape[3] > 0 else None


def rebuild(model: ModelProto, task: str, fit: Fit) -> ModelProto:
    """FLOAT [N,3,h,w] → FLOAT [N,classes] becomes UINT8 [N,h,w,3] RGB → label INT32 [N], probability FLOAT [N].

    Changes `model`. Raises BundleError if it isn't a classification network with the classes of `task`.
    """
    height, width = fit.size
    classes = sizes.output_shape(model, (1, 3, height, width))
    graph = Graph(model)
    graph.drop_identities()
    graph.fold_constants()
    softmax = graph.producer(graph.output)
    if softmax is None or softmax.op_type != "Softmax" or len(classes) != 2:
        raise BundleError("the orientation network doesn't end in a softmax over classes")
    wanted = LABELS[task]
    if classes[1] not in (len(wanted), None):
        raise BundleError(
            f"the orientation network has {classes[1]} classes; expected one for each of the angles {', '.join(wanted)}"
        )
    uint8_pixels(graph, INPUTS[task], fit.normalisation)
    softmax.output[0] = "best.softmax"
    graph.node("ArgMax", ["best.softmax"], "best.class", axis=1, keepdims=0)
    graph.node("Cast", ["best.class"], LABEL, to=TensorProto.INT32)
    graph.over_axes("ReduceMax", "best.softmax", PROBABILITY, [1], keepdims=0)
    rebuilt = graph.finish(
        {INPUTS[task]: (TensorProto.UINT8, ["N", height, width, 3])},
        {LABEL: (TensorProto.INT32, ["N"]), PROBABILITY: (TensorProto.FLOAT, ["N"])},
        task,
    )
    return fusions.hardswish(rebuilt)
