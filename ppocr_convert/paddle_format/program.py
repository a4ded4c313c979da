"""A Paddle program, read from either format: operators over named tensors, with the names of PIR."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ppocr_api.errors import BundleError


@dataclass(frozen=True)
class Operator:
    """An operator by its name in PIR. `inputs` and `outputs` are in PIR's order, with an empty name for each left out."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def get(self, name: str, default: Any = None) -> Any:
        return self.attributes.get(name, default)

    def input(self, place: int) -> str:
        """The name of an input; BundleError if the operator has none there."""
        if place >= len(self.inputs) or not self.inputs[place]:
            raise BundleError(f"the operator {self.kind} of the Paddle program lacks its input {place}")
        return self.inputs[place]


@dataclass(frozen=True)
class Program:
    """`lists` are lists of tensors: the name of a list → the names in it. -1 in a shape is a free size."""

    operators: tuple[Operator, ...]
    parameters: Mapping[str, tuple[int, ...]]
    """The parameter's name → its shape."""
    names: Mapping[str, str]
    """The parameter's name → the tensor that holds it."""
    feeds: Mapping[str, tuple[int, ...]]
    """The tensor that is fed → its shape."""
    fetches: tuple[str, ...]
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ranks: Mapping[str, int] = field(default_factory=dict)
    """The number of dimensions of each tensor, as far as the program says."""
