"""The normalisations that PaddleOCR's networks are trained with."""

from __future__ import annotations

from ppocr.contract import Normalisation

HALF = Normalisation("BGR", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
#: ImageNet's. Detection networks read images in BGR, and apply the means to the channels in that order.
IMAGENET = Normalisation("BGR", _MEAN, _STD)
#: The same for PaddleX's classification networks, which read images in RGB.
IMAGENET_RGB = Normalisation("RGB", _MEAN, _STD)
#: By the names that `convert` takes for detection.
DET_NORMALISATIONS = {"imagenet": IMAGENET, "half": HALF}
