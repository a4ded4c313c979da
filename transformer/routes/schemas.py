"""JSON schemas and examples of what the formats take and answer, for /openapi.json."""

from __future__ import annotations

import dataclasses
from typing import Any, Final, get_args, get_type_hints

from transformer.parameters import Parameters

#: A white image of 32 by 32 pixels, PNG.
EXAMPLE_IMAGE: Final = (
    "iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAAAAABWESUoAAAAGElEQVR42mP8z4AfMDGMKhhVMKpghCoAAKM9AT8q/1PbAAAAAElFTkSuQmCC"
)

_TYPES: Final = {bool: "boolean", int: "integer", float: "number"}


def _parameter(hint: Any) -> dict[str, Any]:
    choices = [choice for kind in get_args(hint) for choice in get_args(kind)]
    if choices:
        return {"type": "string", "enum": choices}
    kinds = [kind for kind in (get_args(hint) or (hint,)) if kind in _TYPES]
    return {"type": _TYPES[kinds[0]]}


#: Name of a request's parameter → its schema.
PARAMETERS: Final[dict[str, dict[str, Any]]] = {
    field.name: _parameter(get_type_hints(Parameters)[field.name]) for field in dataclasses.fields(Parameters)
}

_POINTS: Final = {
    "type": "array",
    "description": "corners from the top left clockwise, in pixels",
    "items": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
}
_TEXT: Final = {"text": {"type": "string"}, "confidence": {"type": "number"}, "points": _POINTS}
_WORD: Final = {"type": "object", "properties": _TEXT, "required": list(_TEXT)}
_LINE: Final = {
    "type": "object",
    "properties": {**_TEXT, "angle": {"type": "number"}, "words": {"type": "array", "items": _WORD}},
    "required": list(_TEXT),
}
_PAGE: Final = {
    "type": "object",
    "properties": {
        "lines": {"type": "array", "items": _LINE},
        "width": {"type": "integer"},
        "height": {"type": "integer"},
        "angle": {"type": "integer", "enum": [0, 90, 180, 270]},
        "warnings": {"type": "array", "items": {"type": "string"}},
        "model": {"type": "string"},
    },
    "required": ["lines", "width", "height", "model"],
}

INSTANCES: Final = {
    "type": "object",
    "properties": {
        "instances": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "image": {
                        "type": "object",
                        "properties": {"b64": {"type": "string", "format": "byte"}},
                        "required": ["b64"],
                    }
                },
                "required": ["image"],
            },
        },
        "parameters": {"type": "object", "properties": PARAMETERS},
    },
    "required": ["instances"],
}
PREDICTIONS: Final = {
    "type": "object",
    "properties": {"predictions": {"type": "array", "items": _PAGE}},
    "required": ["predictions"],
}
PREDICTION_EXAMPLE: Final = {
    "lines": [
        {
            "text": "TAX INVOICE",
            "confidence": 0.9981,
            "points": [[120.0, 33.0], [301.0, 33.0], [301.0, 58.0], [120.0, 58.0]],
        }
    ],
    "width": 620,
    "height": 1190,
    "model": "ppocrv6-small/1",
}


def _tensors(**more: Any) -> dict[str, Any]:
    tensor = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "datatype": {"type": "string"},
            "shape": {"type": "array", "items": {"type": "integer"}},
            "data": {
                "type": "array",
                "description": "flat, or nested as the shape; an image is base64",
                "items": {"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}, {"type": "array"}]},
            },
            "parameters": {"type": "object", "properties": {"binary_data_size": {"type": "integer"}}},
        },
        "required": ["name", "datatype", "shape"],
    }
    return {"type": "array", "items": tensor, **more}


TENSORS_IN: Final = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "parameters": {"type": "object", "properties": {**PARAMETERS, "binary_data_output": {"type": "boolean"}}},
        "inputs": _tensors(),
        "outputs": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "parameters": {"type": "object", "properties": {"binary_data": {"type": "boolean"}}},
                },
            },
        },
    },
    "required": ["inputs"],
}
TENSORS_OUT: Final = {
    "type": "object",
    "properties": {
        "model_name": {"type": "string"},
        "model_version": {"type": "string"},
        "id": {"type": "string"},
        "parameters": {"type": "object"},
        "outputs": _tensors(),
    },
    "required": ["model_name", "outputs"],
}
