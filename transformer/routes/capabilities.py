"""`GET /v1/capabilities`: which formats, parameters, bundles, languages and limits this service has, for programs that ask."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol

import orjson
from fastapi import Response

from ppocr import __version__
from ppocr.contract import RECOGNITION, BundleFacts
from ppocr.serving.declaration import Body, Declaration, Path
from ppocr.serving.routing import Endpoints
from transformer.algorithms.languages import languages
from transformer.images.formats import READABLE
from transformer.pipeline.plan import STAGES
from transformer.reader import Reader
from transformer.routes import schemas

PATH = "/v1/capabilities"


class Settings(Protocol):
    """The settings that are published."""

    @property
    def model_name(self) -> str: ...
    @property
    def max_body_bytes(self) -> int: ...
    @property
    def max_image_bytes(self) -> int: ...
    @property
    def max_image_pixels(self) -> int: ...
    @property
    def max_images(self) -> int: ...
    @property
    def max_instances(self) -> int: ...
    @property
    def request_timeout_seconds(self) -> float: ...


_LIMITS = (
    "max_body_bytes",
    "max_image_bytes",
    "max_image_pixels",
    "max_images",
    "max_instances",
    "request_timeout_seconds",
)
_SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "version": {"type": "string"},
        "model": {"type": "string", "description": "the model's name on the routes"},
        "formats": {"type": "array", "items": {"type": "object"}},
        "parameters": {"type": "object", "description": "a request's parameters and their schemas"},
        "images": {"type": "array", "items": {"type": "string"}, "description": "kinds of image files that are read"},
        "bundles": {"type": "array", "items": {"type": "object"}, "description": "the models that serve now"},
        "limits": {"type": "object"},
    },
}
_EXAMPLE = {
    "name": "ppocr-serving",
    "version": __version__,
    "model": "ppocr",
    "formats": [
        {
            "name": "hubserving",
            "paths": [{"methods": ["POST"], "path": "/predict/{module}"}],
            "grpc": [],
            "content_types": ["application/json"],
        }
    ],
    "parameters": {"return_word_box": schemas.PARAMETERS["return_word_box"]},
    "images": list(READABLE),
    "bundles": [
        {
            "name": "ppocrv6-small",
            "version": "1",
            "networks": [{"name": "det", "task": "detection"}, {"name": "rec", "task": "recognition"}],
            "parameters": {"use_textline_orientation": False},
            "characters": 18710,
            "languages": ["english"],
        }
    ],
    "limits": {"max_instances": 32, "request_timeout_seconds": 60.0},
}
DECLARATION = Declaration(
    "capabilities",
    "Formats, parameters, limits, and models with their languages.",
    (
        Path(
            PATH,
            "formats, parameters, limits and models of this service, as JSON",
            answers=(Body("application/json", _SCHEMA, _EXAMPLE),),
        ),
    ),
)


#: Of the versions that serve: to look through 18,710 characters takes some milliseconds.
_languages = lru_cache(maxsize=8)(languages)


def capabilities(settings: Settings, reader: Reader, formats: Sequence[Declaration]) -> Endpoints:
    """The route. If no predictor can be reached, it answers as a request for an image would: 503."""

    async def handler() -> Response:
        known = {
            "name": "ppocr-serving",
            "version": __version__,
            "model": settings.model_name,
            "formats": [_format(each) for each in formats],
            "parameters": schemas.PARAMETERS,
            "images": list(READABLE),
            "bundles": [_bundle(await reader.facts())],
            "limits": {name: getattr(settings, name) for name in _LIMITS},
        }
        return Response(orjson.dumps(known), media_type="application/json")

    return Endpoints(DECLARATION, {PATH: handler})


def _format(declared: Declaration) -> dict[str, Any]:
    return {
        "name": declared.name,
        "paths": [{"methods": list(path.methods), "path": path.path} for path in declared.paths],
        "grpc": [f"{method.service}/{method.method}" for method in declared.grpc],
        "content_types": list(declared.content_types),
    }


def _bundle(facts: BundleFacts) -> dict[str, Any]:
    """`parameters` are those that need a network, and whether the bundle has it."""
    recognition = facts.of_task(RECOGNITION)
    labels = () if recognition is None else recognition.labels
    optional: dict[str, bool] = {}
    for stage in STAGES:
        if stage.parameter and stage.task:
            has_network = facts.of_task(stage.task) is not None
            optional[stage.parameter] = optional.get(stage.parameter, True) and has_network
    return {
        "name": facts.name,
        "version": facts.version,
        "networks": [{"name": network.name, "task": network.task} for network in facts.networks],
        "parameters": optional,
        "characters": len(labels),
        "languages": _languages(labels),
    }
