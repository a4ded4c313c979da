"""Character sets: which character each class of a recognition network stands for."""

from __future__ import annotations

from collections.abc import Sequence

from onnx import ModelProto

from ppocr_api.errors import BundleError

#: Key under which RapidOCR keeps the characters in a model's metadata.
METADATA = "character"


def from_file(content: bytes, file: str) -> tuple[str, ...]:
    """The characters of a dictionary file, one per line. Not by splitlines(), which takes some characters for line ends.

    Raises BundleError if it isn't UTF-8.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BundleError(f"the dictionary {file} is not UTF-8 (byte {error.start})") from error
    lines = text.removesuffix("\n").split("\n")
    return tuple(line.removesuffix("\r") for line in lines) if text else ()


def from_metadata(model: ModelProto) -> tuple[str, ...]:
    """The characters that RapidOCR keeps in the model's metadata; empty if there are none."""
    found = [item.value for item in model.metadata_props if item.key == METADATA]
    return tuple(found[0].split("\n")) if found else ()


def with_blank(characters: Sequence[str], classes: int, origin: str) -> list[str]:
    """The characters by class: CTC's blank first, the dictionary, and a space last if the network has a class for it.

    PaddleOCR adds the space if `use_space_char` is set. No file of a model says so, but the number of classes does. Raises
    BundleError if the network has neither one nor two classes more than the dictionary has characters.
    """
    more = classes - len(characters)
    if more == 1:
        return ["", *characters]
    if more == 2:
        return ["", *characters, " "]
    raise BundleError(
        f"{origin} has {len(characters)} characters and the recognition network {classes} classes; it needs a dictionary of "
        f"{classes - 2} characters (blank and space are added) or of {classes - 1} (the blank is added)"
    )
