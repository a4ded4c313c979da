"""Finds the images that the command line names."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from ppocr_api.errors import ConfigError, InvalidImage

#: Files of a folder that count as images; a file named by itself is read whatever it is called.
SUFFIXES = frozenset(
    {".avif", ".bmp", ".gif", ".heic", ".heif", ".j2k", ".jp2", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
)
STDIN = "-"
_URL = re.compile("[a-z][a-z0-9+.-]*://", re.IGNORECASE)


@dataclass(frozen=True)
class Picture:
    """One image to read: `name` as answers show it, `place` below the folder that was named, for files made of it."""

    name: str
    place: PurePath

    def data(self) -> bytes:
        """Its bytes. Raises InvalidImage."""
        if self.name == STDIN:
            return sys.stdin.buffer.read()
        try:
            return Path(self.name).read_bytes()
        except OSError as error:
            raise InvalidImage(error.strerror or type(error).__name__) from error


def pictures(arguments: Sequence[str], recursive: bool) -> list[Picture]:
    """All images, those of a folder sorted. Raises ConfigError for a folder without one, a URL, or standard
    input twice."""
    found: list[Picture] = []
    for argument in arguments:
        path = Path(argument)
        if _URL.match(argument) and not path.exists():
            raise ConfigError(f"URLs are not accepted: curl -s {shlex.quote(argument)} | ppocr read -")
        if argument == STDIN:
            found.append(Picture(STDIN, PurePath("stdin")))
        elif path.is_dir():
            inside = [Picture(str(file), file.relative_to(path)) for file in _images(path, recursive)]
            if not inside:
                below = "" if recursive else "; --recursive looks into folders below it"
                raise ConfigError(f"there are no image files in {argument}{below}")
            found += inside
        else:
            found.append(Picture(argument, PurePath(path.name)))
    if sum(picture.name == STDIN for picture in found) > 1:
        raise ConfigError("standard input can be read once")
    return found


def _images(folder: Path, recursive: bool) -> Iterator[Path]:
    for path in sorted(folder.rglob("*") if recursive else folder.iterdir()):
        if path.suffix.lower() in SUFFIXES and path.is_file():
            yield path
