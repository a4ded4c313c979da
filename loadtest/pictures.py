"""The images that are sent, and the texts that must come back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ppocr_client.images import content_type

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


@dataclass(frozen=True, eq=False)
class Picture:
    """One image file. `label`: its texts as a person wrote them; `reference`: its lines as they were read before."""

    name: str
    data: bytes
    kind: str
    label: tuple[str, ...] | None
    reference: tuple[str, ...] | None


def pictures(folder: Path, reference: Path | None) -> list[Picture]:
    """The images of a folder, by name. Raises ValueError where there are none, or the reference lacks one."""
    files = sorted(path for path in folder.glob("*") if path.suffix.lower() in SUFFIXES)
    if not files:
        raise ValueError(f"there are no image files in {folder}")
    read_before = {} if reference is None else _reference(reference)
    found = []
    for path in files:
        if reference is not None and path.name not in read_before:
            raise ValueError(f"{reference} has no reading of {path.name}")
        data = path.read_bytes()
        found.append(Picture(path.name, data, content_type(data), label(path), read_before.get(path.name)))
    return found


def label(image: Path) -> tuple[str, ...] | None:
    """The texts beside an image: NAME.csv as ICDAR has it (eight coordinates, then the text), or the lines of NAME.txt."""
    table, plain = image.with_suffix(".csv"), image.with_suffix(".txt")
    if table.is_file():
        rows = (row.split(",", 8) for row in table.read_text(encoding="utf-8", errors="replace").splitlines())
        return tuple(row[8] for row in rows if len(row) == 9)
    return tuple(plain.read_text(encoding="utf-8").splitlines()) if plain.is_file() else None


def _reference(path: Path) -> dict[str, tuple[str, ...]]:
    """File name → lines, of what `ppocr read --json` wrote."""
    try:
        entries: Sequence[dict[str, Any]] = [json.loads(row) for row in path.read_text(encoding="utf-8").splitlines()]
        return {Path(entry["file"]).name: tuple(line["text"] for line in entry["lines"]) for entry in entries}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is not what `ppocr read --json` writes: {error}") from error
