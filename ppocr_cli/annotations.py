"""`ppocr read --annotate`: draws a PNG with the boxes and texts of each image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ppocr_api.document import Page
from ppocr_api.errors import ConfigError, InvalidImage
from ppocr_cli.extras import extra
from ppocr_cli.pictures import Picture


def targets(out: str, pictures: Sequence[Picture]) -> dict[Picture, Path]:
    """Where each picture's PNG goes: `out` itself for one image, else a file of the image's name in the folder `out`.

    Raises ConfigError if two of them would be the same file.
    """
    path = Path(out)
    if len(pictures) == 1 and not path.is_dir() and path.suffix.lower() == ".png":
        return {pictures[0]: path}
    if path.suffix.lower() == ".png" and not path.is_dir():
        raise ConfigError(f"--annotate {out} is one file, and there are {len(pictures)} images: name a folder")
    found: dict[Path, Picture] = {}
    for picture in pictures:
        # The whole name: a.jpg and a.png may be in one folder.
        target = path / picture.place.with_name(f"{picture.place.name}.png")
        if target in found:
            raise ConfigError(f"--annotate would draw both {found[target].name} and {picture.name} into {target}")
        found[target] = picture
    return {picture: target for target, picture in found.items()}


def draw(data: bytes, page: Page, target: Path) -> None:
    """Writes the picture of a reading. Raises InvalidImage if the image or the file doesn't allow it."""
    with extra("transformer", "drawing"):
        import cv2
        import numpy as np

        from transformer.images import decode
        from transformer.outputs.annotate import annotate

    boxes = [np.array(line.points, np.float32) for line in page.lines]
    drawn = annotate(decode(data), boxes, [line.text for line in page.lines])
    png = cv2.imencode(".png", drawn[:, :, ::-1])[1]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(png.tobytes())
    except OSError as error:
        raise InvalidImage(f"{target} can't be written: {error.strerror or error}") from error
