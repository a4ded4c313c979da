"""inference.pdmodel or __model__: a ProgramDesc of Paddle's framework.proto, as Paddle 1 and 2 write it.

Operators get the names and the order of inputs that they have in PIR. An attribute that is an input in PIR becomes a
constant before the operator, and an input that is broadcast from an axis on gets dimensions of size 1.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from ppocr_api.errors import BundleError
from ppocr_convert.paddle_format.framework_pb2 import BlockDesc, OpDesc, ProgramDesc, Scalar
from ppocr_convert.paddle_format.legacy_names import (
    CONSTANTS,
    ELEMENTWISE,
    INPUTS,
    OUTPUTS,
    RENAMED,
    RENAMED_ATTRIBUTES,
)
from ppocr_convert.paddle_format.program import Operator, Program

_LOD_TENSOR = 7


def read(content: bytes) -> Program:
    """Raises BundleError if `content` isn't such a program."""
    try:
        blocks = ProgramDesc.FromString(content).blocks
    except DecodeError as error:
        raise BundleError("the Paddle program is damaged or cut off: it is not a Protocol Buffers message") from error
    if not blocks or not blocks[0].ops:
        raise BundleError("this is not a Paddle program: it has no operators")
    if len(blocks) > 1:
        raise BundleError(
            f"the Paddle program has {len(blocks) - 1} inner blocks (loops or branches); PP-OCR's CTC networks have none"
        )
    return _Reader(blocks[0]).program()


class _Reader:
    def __init__(self, block: BlockDesc) -> None:
        self._block = block
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._operators: list[Operator] = []
        self._feeds: dict[str, tuple[int, ...]] = {}
        self._fetches: list[str] = []
        self._lists: dict[str, tuple[str, ...]] = {}
        #: A name in the program → the name here of its last value: a program may write to one name several times.
        self._current: dict[str, str] = {}
        self._known = {""}

    def program(self) -> Program:
        parameters: dict[str, tuple[int, ...]] = {}
        for variable in self._block.vars:
            name = variable.name
            if variable.type.type != _LOD_TENSOR:
                continue
            shape = tuple(variable.type.lod_tensor.tensor.dims)
            self._shapes[name] = shape
            if variable.persistable:
                parameters[name] = shape
                self._known.add(name)
        for raw in self._block.ops:
            self._operator(raw)
        names = {name: name for name in parameters}
        ranks = {name: len(shape) for name, shape in self._shapes.items()}
        return Program(tuple(self._operators), parameters, names, self._feeds, tuple(self._fetches), self._lists, ranks)

    def _operator(self, raw: OpDesc) -> None:
        kind = raw.type
        inputs = {slot.parameter: [self._current.get(name, name) for name in slot.arguments] for slot in raw.inputs}
        outputs = {slot.parameter: list(slot.arguments) for slot in raw.outputs}
        attributes = {attribute.name: _value(attribute) for attribute in raw.attrs}
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
        """The name of the tensor in an input slot; a list, or a constant made of an attribute, gets a name of its own."""
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
        self._current[name] = f"{name}.{len(self._operators)}"
        self._shapes[self._current[name]] = self._shapes.get(name, ())
        return self._current[name]

    def _list(self, names: list[str], place: int) -> str:
        name = f"list.{place}.{len(self._lists)}"
        self._lists[name] = tuple(names)
        return name

    def _broadcast(self, names: list[str], axis: int, place: int) -> str:
        """The second input with dimensions of size 1 appended: Paddle aligns its first dimension with dimension `axis`."""
        left, right = (self._shapes.get(name) for name in names)
        if axis < 0 or left is None or right is None or axis + len(right) == len(left):
            return names[1]
        behind = list(range(len(right), len(left) - axis))
        axes, name = f"broadcast.{place}.axes", f"broadcast.{place}"
        self._operators.append(Operator("full_int_array", (), (axes,), {"value": behind}))
        self._operators.append(Operator("unsqueeze", (names[1], axes), (name,)))
        return name


def _value(attribute: OpDesc.Attr) -> Any:
    """The value by its AttrType; None for a type that no supported operator has."""
    field = _FIELDS.get(attribute.type)
    if field is None:
        return None
    value = getattr(attribute, field)
    if field == "scalar":
        return _scalar(value)
    if field == "scalars":
        return [_scalar(item) for item in value]
    return list(value) if field.endswith("s") and field != "s" else value


def _scalar(scalar: Scalar) -> bool | int | float:
    return {1: scalar.b, 3: scalar.r}.get(scalar.type, scalar.i)


#: AttrType → the field of OpDesc.Attr that holds the value.
_FIELDS = {
    0: "i",
    1: "f",
    2: "s",
    3: "ints",
    4: "floats",
    5: "strings",
    6: "b",
    7: "bools",
    9: "l",
    11: "longs",
    12: "float64s",
    15: "float64",
    16: "scalar",
    17: "scalars",
}
