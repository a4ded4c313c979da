"""inference.pdmodel or __model__: a ProgramDesc of Paddle's framework.proto, as Paddle 1 and 2 write it.

Names and places of inputs become those of PIR: what an operator has as an attribute here and as an input there becomes
a constant before it, and what is broadcast from an axis on gets its dimensions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ppocr_api.errors import BundleError
from ppocr_convert.paddle_format.legacy_names import (
    CONSTANTS,
    ELEMENTWISE,
    INPUTS,
    OUTPUTS,
    RENAMED,
    RENAMED_ATTRIBUTES,
)
from ppocr_convert.paddle_format.program import Operator, Program
from ppocr_convert.paddle_format.protobuf import Message

_LOD_TENSOR = 7


def read(content: bytes) -> Program:
    """Raises BundleError where `content` isn't such a program."""
    blocks = Message(content).messages(1)
    if not blocks or not blocks[0].has(4):
        raise BundleError("this is not a Paddle program: it has no operators")
    if len(blocks) > 1:
        raise BundleError(
            f"the Paddle program has {len(blocks) - 1} inner blocks (loops or branches); PP-OCR's CTC networks have none"
        )
    return _Reader(blocks[0]).program()


class _Reader:
    def __init__(self, block: Message) -> None:
        self._block = block
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._operators: list[Operator] = []
        self._feeds: dict[str, tuple[int, ...]] = {}
        self._fetches: list[str] = []
        self._lists: dict[str, tuple[str, ...]] = {}
        #: A name of the program → what it is called here since it was last written: a name may be written several times.
        self._now: dict[str, str] = {}
        self._known = {""}

    def program(self) -> Program:
        parameters: dict[str, tuple[int, ...]] = {}
        for variable in self._block.messages(3):
            name, kind = variable.text(1), variable.message(2)
            if kind.integer(1) != _LOD_TENSOR:
                continue
            shape = tuple(kind.message(3).message(1).integers(2))
            self._shapes[name] = shape
            if variable.integer(3):
                parameters[name] = shape
                self._known.add(name)
        for raw in self._block.messages(4):
            self._operator(raw)
        names = {name: name for name in parameters}
        ranks = {name: len(shape) for name, shape in self._shapes.items()}
        return Program(tuple(self._operators), parameters, names, self._feeds, tuple(self._fetches), self._lists, ranks)

    def _operator(self, raw: Message) -> None:
        kind = raw.text(3)
        inputs = {item.text(1): [self._now.get(name, name) for name in item.texts(2)] for item in raw.messages(1)}
        outputs = {item.text(1): item.texts(2) for item in raw.messages(2)}
        attributes = {item.text(1): _attribute(item) for item in raw.messages(4)}
        if kind == "feed":
            name = outputs["Out"][0]
            self._feeds[name] = self._shapes[name]
            self._known.add(name)
            return
        if kind == "fetch":
            self._fetches.append(inputs["X"][0])
            return
        written = [outputs.get(slot, [""]) or [""] for slot in OUTPUTS.get(kind, ("Out",))]
        place = len(self._operators)
        read_names = [self._slot(kind, slot, inputs, attributes, place) for slot in INPUTS.get(kind, ("X",))]
        if kind in ELEMENTWISE:
            read_names[1] = self._broadcast(read_names, attributes.get("axis", -1), place)
        renamed = RENAMED_ATTRIBUTES.get(kind, {})
        attributes = {renamed.get(name, name): value for name, value in attributes.items()}
        fresh = [[self._fresh(name) for name in slot] for slot in written]
        names = tuple(self._list(slot, place) if len(slot) > 1 else slot[0] for slot in fresh)
        self._operators.append(Operator(RENAMED.get(kind, kind), tuple(read_names), names, attributes))

    def _slot(self, kind: str, slot: str, inputs: dict[str, list[str]], attributes: dict[str, Any], place: int) -> str:
        """The name of what stands in an input; a list, or a constant out of an attribute, gets one."""
        constant = CONSTANTS.get((kind, slot))
        if constant is None:
            found = inputs.get(slot, [])
            always_list = (kind, slot) in {("concat", "X"), ("stack", "X"), ("rnn", "PreState"), ("rnn", "WeightList")}
            return self._list(found, place) if len(found) > 1 or always_list else (found[0] if found else "")
        for other in constant.tensors:
            found = inputs.get(other, [])
            if found:
                return self._list(found, place) if len(found) > 1 else found[0]
        if constant.attribute not in attributes:
            return ""
        value, name = attributes[constant.attribute], f"{kind}.{place}.{slot}"
        whole = value if isinstance(value, list) else [value]
        made = "full_int_array" if all(isinstance(item, int) for item in whole) else "full_array"
        self._operators.append(Operator(made, (), (name,), {"value": whole}))
        return name

    def _fresh(self, name: str) -> str:
        if name not in self._known:
            self._known.add(name)
            return name
        self._now[name] = f"{name}.{len(self._operators)}"
        self._shapes[self._now[name]] = self._shapes.get(name, ())
        return self._now[name]

    def _list(self, names: list[str], place: int) -> str:
        name = f"list.{place}.{len(self._lists)}"
        self._lists[name] = tuple(names)
        return name

    def _broadcast(self, names: list[str], axis: int, place: int) -> str:
        """The second factor with dimensions of size 1 behind it: Paddle lays its first one over dimension `axis`."""
        left, right = (self._shapes.get(name) for name in names)
        if axis < 0 or left is None or right is None or axis + len(right) == len(left):
            return names[1]
        behind = list(range(len(right), len(left) - axis))
        axes, name = f"broadcast.{place}.axes", f"broadcast.{place}"
        self._operators.append(Operator("full_int_array", (), (axes,), {"value": behind}))
        self._operators.append(Operator("unsqueeze", (names[1], axes), (name,)))
        return name


def _attribute(raw: Message) -> Any:
    """The value by its AttrType; None for a kind that no operator of ours has."""
    read = _KINDS.get(raw.integer(2))
    return None if read is None else read(raw)


def _scalar(raw: Message) -> bool | int | float:
    kind = raw.integer(1)
    if kind == 1:
        return bool(raw.integer(2))
    return (raw.doubles(4) or [0.0])[-1] if kind == 3 else raw.integer(3)


#: AttrType → how it is written in OpDesc.Attr.
_KINDS: dict[int, Callable[[Message], Any]] = {
    0: lambda raw: raw.integer(3),
    1: lambda raw: (raw.floats(4) or [0.0])[-1],
    2: lambda raw: raw.text(5),
    3: lambda raw: raw.integers(6),
    4: lambda raw: raw.floats(7),
    5: lambda raw: raw.texts(8),
    6: lambda raw: bool(raw.integer(10)),
    7: lambda raw: [bool(value) for value in raw.integers(11)],
    9: lambda raw: raw.integer(13),
    11: lambda raw: raw.integers(15),
    12: lambda raw: raw.doubles(16),
    15: lambda raw: (raw.doubles(19) or [0.0])[-1],
    16: lambda raw: _scalar(raw.message(20)),
    17: lambda raw: [_scalar(item) for item in raw.messages(21)],
}
