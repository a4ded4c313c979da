"""The parameters of a DB detection network: the model's values, overridden by the request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ppocr.contract import NetworkFacts
from ppocr_api.errors import BundleError
from transformer.parameters import Parameters


@dataclass(frozen=True)
class DetectionParameters:
    """How a page is scaled (`limit_side_len` pixels of the `limit_type` side), and how boxes are found in its map."""

    limit_side_len: float = 960
    limit_type: str = "max"
    thresh: float = 0.3
    box_thresh: float = 0.6
    unclip_ratio: float = 1.5
    max_candidates: int = 1000

    @classmethod
    def of(cls, network: NetworkFacts, asked: Parameters) -> DetectionParameters:
        """The parameters that the request `asked` for, else the network's own.

        Raises BundleError if the bundle has a parameter of the wrong type.
        """
        own = network.parameters
        return cls(
            limit_side_len=asked.text_det_limit_side_len or _number(own, "limit_side_len", cls.limit_side_len),
            limit_type=asked.text_det_limit_type or _limit_type(own),
            thresh=_or(asked.text_det_thresh, _number(own, "thresh", cls.thresh)),
            box_thresh=_or(asked.text_det_box_thresh, _number(own, "box_thresh", cls.box_thresh)),
            unclip_ratio=_or(asked.text_det_unclip_ratio, _number(own, "unclip_ratio", cls.unclip_ratio)),
            max_candidates=int(_number(own, "max_candidates", cls.max_candidates)),
        )


def _or(asked: float | None, own: float) -> float:
    return own if asked is None else asked


def _number(own: Mapping[str, Any], name: str, default: float) -> float:
    value = own.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise BundleError(f"the detection network's parameter {name} must be a number of at least 0")
    return value


def _limit_type(own: Mapping[str, Any]) -> str:
    value = own.get("limit_type", DetectionParameters.limit_type)
    if value not in ("max", "min"):
        raise BundleError("the detection network's parameter limit_type must be 'max' or 'min'")
    return str(value)
