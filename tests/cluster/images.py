"""The images that are read: a line that costs little, and a receipt."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import cv2
import numpy as np

RECEIPT = Path(__file__).parents[1] / "data" / "075.jpg"
TEXT = "TRACK 4711"
#: What the receipt says somewhere.
RECEIPT_TEXT = "3180303"


def line() -> bytes:
    """A PNG of 320x96 that says TEXT."""
    image = np.full((96, 320, 3), 255, np.uint8)
    cv2.putText(image, TEXT, (24, 62), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (0, 0, 0), 3, cv2.LINE_AA)
    encoded, png = cv2.imencode(".png", image)
    assert encoded
    return png.tobytes()


def v1(image: bytes) -> bytes:
    """A V1 request."""
    return json.dumps({"instances": [{"image": {"b64": base64.b64encode(image).decode()}}]}).encode()


def v2(image: bytes) -> bytes:
    """A V2 request in JSON."""
    tensor = {"name": "image", "datatype": "BYTES", "shape": [1], "data": [base64.b64encode(image).decode()]}
    return json.dumps({"inputs": [tensor]}).encode()
