"""ONNX files may keep weights in other files. Only files that the bundle's manifest lists are allowed.

A name may point anywhere on the machine, and a file that the manifest doesn't list has no digest; an engine would open it
all the same. Field numbers are those of onnx.proto.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from ppocr_api.errors import BundleError, InvalidRequest
from ppocr_limits.wire_fields import fields
from predictor.bundle import Bundle
from predictor.manifest import shown

_ENTRY = "StringStringEntryProto"
#: The fields of each message that may contain tensors, with the types of these fields.
_INSIDE: Mapping[str, Mapping[int, str]] = {
    "ModelProto": {7: "GraphProto", 25: "FunctionProto", 20: "TrainingInfoProto"},
    "TrainingInfoProto": {1: "GraphProto", 2: "GraphProto"},
    "FunctionProto": {7: "NodeProto", 11: "AttributeProto"},
    "GraphProto": {1: "NodeProto", 5: "TensorProto", 15: "SparseTensorProto"},
    "NodeProto": {5: "AttributeProto"},
    "AttributeProto": {
        5: "TensorProto",
        6: "GraphProto",
        10: "TensorProto",
        11: "GraphProto",
        22: "SparseTensorProto",
        23: "SparseTensorProto",
    },
    "SparseTensorProto": {1: "TensorProto", 2: "TensorProto"},
    "TensorProto": {13: _ENTRY},
}
_KEY, _VALUE = 1, 2


def check(bundle: Bundle) -> None:
    """Raises BundleError if a network of `bundle` names a file that the manifest doesn't list, or isn't an ONNX file.

    Other files aren't opened: no engine reads them, and the estimate of a version's memory doesn't include them.
    """
    listed = bundle.manifest.files
    for name in (each for network in bundle.manifest.networks if (each := f"{network.name}.onnx") in listed):
        try:
            content = memoryview(bundle.file(name).read_bytes())
            found = {str(PurePosixPath(name).parent / location) for location in _locations(content, "ModelProto")}
        except (OSError, InvalidRequest, UnicodeDecodeError, RecursionError) as error:
            raise BundleError(f"{name} of the bundle {bundle.label} is not a readable ONNX file") from error
        if unknown := sorted(found - set(listed)):
            raise BundleError(
                f"{name} of the bundle {bundle.label} keeps weights in {shown(unknown[0])}, which its manifest doesn't list"
            )


def _locations(view: memoryview, message: str) -> Iterator[str]:
    inside = _INSIDE[message]
    for number, content in fields(view):
        kind = inside.get(number)
        if content is None or kind is None:
            continue
        if kind != _ENTRY:
            yield from _locations(content, kind)
            continue
        entry = {key: bytes(value or b"") for key, value in fields(content)}
        if entry.get(_KEY) == b"location":
            yield entry.get(_VALUE, b"").decode()
