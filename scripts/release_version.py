"""Prints the version of a release: that of the package, the clients, the charts and their images, which CHANGELOG.md describes.

Ends with a sentence where they differ (docs/releases.md).
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
#: Where the version stands, and after what.
PLACES = (
    ("ppocr/__init__.py", r'^__version__ = "(.*)"'),
    ("clients/python/ppocr_api/__init__.py", r'^__version__ = "(.*)"'),
    ("clients/java/pom.xml", r"^  <version>(.*)</version>"),
    ("clients/cpp/CMakeLists.txt", r"^project\(ppocr-client VERSION (\S+)"),
    ("charts/ppocr/Chart.yaml", r"^version: (.*)"),
    ("charts/ppocr/Chart.yaml", r'^appVersion: "(.*)"'),
    ("charts/ppocr-runtime/Chart.yaml", r"^version: (.*)"),
    ("charts/ppocr-runtime/Chart.yaml", r'^appVersion: "(.*)"'),
    ("CHANGELOG.md", r"^## (\d\S*)"),
)


def version(root: Path = ROOT) -> str:
    """Raises ValueError."""
    found = {}
    for path, pattern in PLACES:
        match = re.search(pattern, (root / path).read_text(), re.MULTILINE)
        found[f"{path}: {pattern}"] = match[1] if match else "none"
    if len(set(found.values())) > 1:
        raise ValueError(
            "the versions differ: " + ", ".join(f"{value} in {at.partition(':')[0]}" for at, value in found.items())
        )
    return next(iter(found.values()))


if __name__ == "__main__":
    try:
        print(version())
    except ValueError as error:
        sys.exit(f"release: {error}")
