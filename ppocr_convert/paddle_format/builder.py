"""Builds an ONNX graph: constants and nodes. TRANSLATIONS has a function for each of Paddle's operators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper

from ppocr_api.errors import BundleError
from ppocr_convert.paddle_format.program import Operator, Program

Translate = Callable[["Builder", Operator], None]
TRANSLATIONS: dict[str, Translate] = {}


def translates(*kinds: str) -> Callable[[Translate], Translate]:
    """Makes a function the translation of these operators."""

    def register(function: Translate) -> Translate:
        TRANSLATIONS.update(dict.fromkeys(kinds, function))
        return function

    return register


class Builder:
    """`constants` are the tensors whose values are known.

    `whole` has the names of tensors of whole numbers, of which only shapes are made. They are INT64, and a single number that
    is computed is a vector of length one.
    """

    def __init__(self, program: Program, parameters: dict[str, NDArray[Any]]) -> None:
        self.program = program
        self.constants: dict[str, NDArray[Any]] = {program.names[name]: value for name, value in parameters.items()}
        self.nodes: list[NodeProto] = []
        self.lists: dict[str, tuple[str, ...]] = dict(program.lists)
        self.whole: set[str] = set()

    def node(self, operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        """Appends a node and returns its output's name. What a node computes from whole numbers is also whole numbers."""
        self.nodes.append(helper.make_node(operator, list(inputs), [output], name=output, **attributes))
        if operator == "Shape" or inputs[0] in self.whole:
            self.whole.add(output)
        return output

    def add(self, name: str, value: NDArray[Any] | Sequence[Any] | float, dtype: Any = np.float32) -> str:
        """Adds a constant and returns its name."""
        self.constants[name] = np.asarray(value, dtype)
        if np.issubdtype(self.constants[name].dtype, np.integer):
            self.whole.add(name)
        return name

    def ints(self, name: str, what: str) -> list[int]:
        """The whole numbers of `name`. Raises BundleError, which calls them `what`, if they aren't known in advance."""
        value = self.known_ints(name)
        if value is None:
            raise BundleError(f"{what} is computed while the network runs; it must be a constant")
        return value

    def known_ints(self, name: str) -> list[int] | None:
        """The whole numbers of a constant, or of a list of constants; None if one isn't known."""
        if name in self.lists:
            parts = [self.known_ints(item) for item in self.lists[name]]
            return None if any(part is None for part in parts) else [item for part in parts for item in part or ()]
        value = self.constants.get(name)
        return None if value is None else [int(item) for item in value.reshape(-1)]

    def vector(self, name: str, output: str) -> str:
        """An INT64 vector made of a constant, of a list of numbers, or of a tensor. Raises BundleError for other tensors."""
        known = self.known_ints(name)
        if known is not None:
            return self.add(output, known, np.int64)
        parts = self.lists.get(name, (name,))
        vectors = []
        for place, part in enumerate(parts):
            number = self.constants.get(part)
            if number is not None:
                vectors.append(self.add(f"{output}.{place}", number.reshape(-1), np.int64))
            elif part in self.whole:
                vectors.append(part)
            else:
                raise BundleError("a shape that isn't computed from other shapes can't be translated")
        return self.node("Concat", vectors, output, axis=0) if len(vectors) > 1 else vectors[0]

    def rank(self, name: str) -> int:
        """The number of dimensions of a tensor. Raises BundleError if the program doesn't say."""
        if name in self.constants:
            return self.constants[name].ndim
        found = self.program.ranks.get(name)
        if found is None:
            raise BundleError(f"the Paddle program doesn't say how many dimensions the tensor {name!r} has")
        return found

    def alias(self, source: str, output: str) -> None:
        """Makes `output` another name of `source`."""
        if source in self.constants:
            self.constants[output] = self.constants[source]
            if source in self.whole:
                self.whole.add(output)
            return
        if source in self.lists:
            self.lists[output] = self.lists[source]
            return
        self.node("Identity", [source], output)
