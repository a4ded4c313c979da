"""Messages for the declared gRPC methods, made from their descriptors: right, nearly right, and broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from ppocr_grpc.methods import GrpcMethod
from tests.fuzz import seeds
from tests.fuzz.from_schema import IMAGES
from tests.fuzz.mutators import changed_bytes

_DEEPEST = 3
_NAMES = ("ppocr", "image", "lang_type", "BYTES", "UINT8", "FP32", "text", "1", "2", "", "grpc.health.v1.Health", "é")
_TEXTS = st.sampled_from(_NAMES) | st.text(max_size=20)


def messages(method: GrpcMethod) -> st.SearchStrategy[bytes]:
    """The bytes of a request."""
    right = st.sampled_from([each.SerializeToString() for each in seeds.messages(method)])
    filled = _filled(method.request.DESCRIPTOR, method.request).map(lambda message: message.SerializeToString())
    return st.one_of(right, filled, _broken(right), _broken(filled))


@st.composite
def _broken(draw: st.DrawFn, right: st.SearchStrategy[bytes]) -> bytes:
    return changed_bytes(draw(right), draw(st.randoms(use_true_random=False)))


@st.composite
def _filled(draw: st.DrawFn, descriptor: Any, make: Callable[[], Any], depth: int = 0) -> Any:
    """A message with some of its fields filled; those of messages in messages too."""
    message = make()
    if not descriptor.fields:
        return message
    for field in draw(st.lists(st.sampled_from(list(descriptor.fields)), max_size=4, unique_by=lambda each: each.name)):
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            _fill_map(draw, message, field, depth)
        elif field.message_type is not None and depth < _DEEPEST:
            inner = draw(_filled(field.message_type, field.message_type._concrete_class, depth + 1))
            if field.is_repeated:
                getattr(message, field.name).append(inner)
            else:
                getattr(message, field.name).CopyFrom(inner)
        elif field.message_type is None and field.is_repeated:
            getattr(message, field.name).extend(draw(st.lists(_scalar(field), max_size=4)))
        elif field.message_type is None:
            setattr(message, field.name, draw(_scalar(field)))
    return message


def _fill_map(draw: st.DrawFn, message: Any, field: Any, depth: int) -> None:
    value = field.message_type.fields_by_name["value"]
    key = draw(_TEXTS)
    if value.message_type is None:
        getattr(message, field.name)[key] = draw(_scalar(value))
    elif depth < _DEEPEST:
        inner = draw(_filled(value.message_type, value.message_type._concrete_class, depth + 1))
        getattr(message, field.name)[key].CopyFrom(inner)


def _scalar(field: Any) -> st.SearchStrategy[Any]:
    kinds = {
        field.CPPTYPE_INT32: st.integers(-3, 40) | st.integers(-(2**31), 2**31 - 1),
        field.CPPTYPE_INT64: st.integers(-3, 40) | st.integers(-(2**63), 2**63 - 1),
        field.CPPTYPE_UINT32: st.integers(0, 2**32 - 1),
        field.CPPTYPE_UINT64: st.integers(0, 2**64 - 1),
        field.CPPTYPE_DOUBLE: st.floats(),
        field.CPPTYPE_FLOAT: st.floats(width=32),
        field.CPPTYPE_BOOL: st.booleans(),
        field.CPPTYPE_ENUM: st.sampled_from([0, 1, 99]),
    }
    if field.cpp_type == field.CPPTYPE_STRING:
        return IMAGES if field.type == field.TYPE_BYTES else _TEXTS
    return kinds[field.cpp_type]
