"""Reads inference.yml, in which PaddleOCR 3 and PaddleX describe the pre- and post-processing of a network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from ppocr.contract import Normalisation
from ppocr_api.errors import BundleError

_SCALES = ("1./255.", "1.0/255.0", "1/255", "1./255", "0.00392156862745098")


@dataclass(frozen=True)
class Description:
    """A field is empty or None if the file doesn't have it."""

    model: str = ""
    normalisation: Normalisation | None = None
    detection: dict[str, Any] = field(default_factory=dict)
    """Parameters of a detection network, by the names of the manifest."""
    characters: tuple[str, ...] = ()
    height: int | None = None
    """Of a line, for rec."""
    size: tuple[int, int] | None = None
    """(height, width) that an orientation network's input is stretched to."""
    short_side: int | None = None
    """What the short side of a page is scaled to, before the middle is cut out."""
    crop: tuple[int, int] | None = None
    """(height, width) of the middle that is cut out."""
    labels: tuple[str, ...] = ()
    """The labels of an orientation network's classes, as the file has them: 0 or 0_degree."""


def read(content: bytes, file: str) -> Description:
    """Raises BundleError if `content` isn't an inference.yml."""
    import yaml  # type: ignore[import-untyped]

    # All values as text: a character set has entries such as 1, no and ~ that YAML would take for something else.
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        raw = yaml.load(content, Loader=loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BundleError(f"{file} is not YAML: {str(error).splitlines()[0]}") from error
    try:
        return _description(raw)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BundleError(f"{file} is not a PP-OCR network's inference.yml: {error}") from error


def _description(raw: dict[str, Any]) -> Description:
    steps = _steps(raw.get("PreProcess") or {})
    after = raw.get("PostProcess") or {}
    characters = after.get("character_dict") or ()
    line = (steps.get("RecResizeImg") or {}).get("image_shape")
    resize = steps.get("ResizeImage") or {}
    short_side, crop = resize.get("resize_short"), (steps.get("CropImage") or {}).get("size")
    return Description(
        model=(raw.get("Global") or {}).get("model_name", ""),
        normalisation=_normalisation(steps) if "NormalizeImage" in steps else None,
        detection={**_limits(steps.get("DetResizeForTest") or {}), **_thresholds(after)},
        characters=tuple(str(character) for character in characters),
        height=int(line[1]) if line else None,
        size=_size(resize["size"]) if "size" in resize else None,
        short_side=int(short_side) if short_side else None,
        crop=_size(crop) if crop else None,
        labels=tuple(str(label) for label in (after.get("Topk") or {}).get("label_list") or ()),
    )


def _size(raw: Any) -> tuple[int, int]:
    """[width, height], or one number for both, as (height, width)."""
    width, height = raw if isinstance(raw, list) else (raw, raw)
    return int(height), int(width)


def _steps(before: dict[str, Any]) -> dict[str, Any]:
    steps: dict[str, Any] = {}
    for step in before.get("transform_ops") or []:
        steps.update(step if isinstance(step, dict) else {str(step): None})
    return steps


def _normalisation(steps: dict[str, Any]) -> Normalisation:
    how = steps["NormalizeImage"] or {}
    scale = str(how.get("scale", _SCALES[0])).replace(" ", "")
    if scale not in _SCALES:
        raise ValueError(f"NormalizeImage has the scale {scale}; bundles support only 1/255")
    means, deviations = ([float(value) for value in how[name]] for name in ("mean", "std"))
    if len(means) != 3 or len(deviations) != 3 or not all(deviations):
        raise ValueError("NormalizeImage must have three means, and three standard deviations other than 0")
    # PaddleX reads images in RGB for its classification networks, which are those with a ResizeImage.
    usual = "RGB" if "ResizeImage" in steps else "BGR"
    mode = (steps.get("DecodeImage") or {}).get("img_mode", usual)
    channels: Literal["RGB", "BGR"] = "RGB" if mode == "RGB" else "BGR"
    return Normalisation(channels, (means[0], means[1], means[2]), (deviations[0], deviations[1], deviations[2]))


def _limits(how: dict[str, Any]) -> dict[str, Any]:
    if "resize_long" in how:
        return {"limit_side_len": int(how["resize_long"]), "limit_type": "max"}
    found: dict[str, Any] = {}
    if "limit_side_len" in how:
        found["limit_side_len"] = int(how["limit_side_len"])
    if how.get("limit_type") in ("max", "min"):
        found["limit_type"] = how["limit_type"]
    return found


def _thresholds(how: dict[str, Any]) -> dict[str, Any]:
    if not str(how.get("name", "")).startswith("DB"):
        return {}
    found: dict[str, Any] = {name: float(how[name]) for name in ("thresh", "box_thresh", "unclip_ratio") if name in how}
    if "max_candidates" in how:
        found["max_candidates"] = int(how["max_candidates"])
    for name in ("thresh", "box_thresh"):
        if not 0 <= found.get(name, 0) <= 1:
            raise ValueError(f"{name} is {found[name]}; a probability lies between 0 and 1")
    return found
