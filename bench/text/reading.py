"""Asks a service to read a case."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from typing import Any

from bench.text.case import Case

SECONDS = 300


def read(url: str, case: Case, **parameters: str) -> list[dict[str, Any]]:
    """The lines that the service at `url` reads in the case's image, by V1."""
    query = urllib.parse.urlencode({**case.parameters, **parameters})
    request = urllib.request.Request(
        f"{url}/v1/models/ppocr:predict?{query}", case.image, {"Content-Type": "application/octet-stream"}
    )
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:
        (page,) = json.load(answer)["predictions"]
    lines: list[dict[str, Any]] = page["lines"]
    return lines


def texts(url: str, case: Case) -> list[str]:
    """The texts of the lines."""
    return [line["text"] for line in read(url, case)]
