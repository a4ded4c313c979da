"""Declarations: the paths, methods, bodies and gRPC methods of a part of the service.

The server serves what is declared and nothing else. Guards, /openapi.json, docs/api.md and tests use the declarations.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ppocr_grpc.methods import GrpcMethod

Json = Mapping[str, Any]

OBJECT: Json = {"type": "object"}
BINARY: Json = {"type": "string", "format": "binary"}


@dataclass(frozen=True)
class Body:
    """A body of one content type ("image/*" stands for all that begin so): its OpenAPI schema, and one that is right."""

    content_type: str
    schema: Json = field(default_factory=lambda: OBJECT)
    example: Any = None

    def openapi(self) -> dict[str, Any]:
        """As OpenAPI's media type object."""
        return {"schema": dict(self.schema)} | ({} if self.example is None else {"example": self.example})


#: What an error looks like if a format has no form of its own.
ERROR = Body(
    "application/json",
    {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]},
    {"error": "instance 0: the image is truncated"},
)


@dataclass(frozen=True)
class Path:
    """One path, `{name}` standing for a part without a slash.

    `bodies` are those that a request may have, `query` the schemas of its query's parameters, `answers` the bodies of a 200.
    `line` is a command that works, for errors to show; "" if there is none. A path that isn't `listed` is no part of the API:
    it isn't in /openapi.json.
    """

    path: str
    summary: str
    methods: tuple[str, ...] = ("GET",)
    bodies: tuple[Body, ...] = ()
    query: Mapping[str, Json] = field(default_factory=dict)
    answers: tuple[Body, ...] = ()
    error: Body = ERROR
    line: str = ""
    listed: bool = True

    def openapi(self) -> dict[str, Any]:
        """What OpenAPI's operation object says of it."""
        parameters = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in re.findall(r"{(\w+)}", self.path)
        ]
        parameters += [{"name": name, "in": "query", "schema": dict(schema)} for name, schema in self.query.items()]
        operation: dict[str, Any] = {"summary": self.summary, "parameters": parameters}
        if self.bodies:
            operation["requestBody"] = {"required": True, "content": _content(self.bodies)}
        return operation

    def responses(self) -> dict[int | str, dict[str, Any]]:
        """OpenAPI's responses object."""
        errors: dict[int | str, dict[str, Any]] = {
            "default": {"description": "An error", "content": _content((self.error,))}
        }
        answer = {"description": "The answer", "content": _content(self.answers)}
        return errors | ({200: answer} if self.answers else {})


@dataclass(frozen=True)
class Declaration:
    """`name` as in logs and tests, `text` one paragraph of docs.

    `also_as` are content types that clients send such bodies under although they are others. `extensions` are those of V2 that
    it is, by their names. `absent` holds a sentence about what clients of the protocol may ask for and isn't there, by the
    gRPC method, or by a pattern of paths.
    """

    name: str
    text: str
    paths: tuple[Path, ...] = ()
    grpc: tuple[GrpcMethod, ...] = ()
    also_as: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    absent: Mapping[str, str] = field(default_factory=dict)

    @property
    def content_types(self) -> tuple[str, ...]:
        """Of all bodies that its paths take, each once."""
        return tuple(dict.fromkeys(body.content_type for path in self.paths for body in path.bodies))

    def reads(self, content_type: str) -> bool:
        """Whether a body of this content type (without parameters, in lower case; "" if none was sent) may be its own."""
        return content_type in self.also_as or any(
            content_type.startswith(known[:-1]) if known.endswith("/*") else content_type == known
            for known in self.content_types
        )


def merged(first: Path, second: Path) -> Path:
    """One path that two formats share: what either takes and answers."""
    return Path(
        first.path,
        f"{first.summary}; or {second.summary}",
        tuple(dict.fromkeys((*first.methods, *second.methods))),
        (*first.bodies, *second.bodies),
        {**first.query, **second.query},
        tuple({body.content_type: body for body in (*second.answers, *first.answers)}.values()),
        first.error,
        first.line,
        first.listed or second.listed,
    )


def _content(bodies: tuple[Body, ...]) -> dict[str, Any]:
    """Of bodies with one content type, which formats that share a path have, any may be sent."""
    by_type: dict[str, list[Body]] = {}
    for body in bodies:
        by_type.setdefault(body.content_type, []).append(body)
    return {kind: same[0].openapi() if len(same) == 1 else _any_of(same) for kind, same in by_type.items()}


def _any_of(bodies: Sequence[Body]) -> dict[str, Any]:
    schemas: list[dict[str, Any]] = []
    for body in bodies:
        schemas += [dict(body.schema)] if dict(body.schema) not in schemas else []
    examples = {str(index): {"value": body.example} for index, body in enumerate(bodies) if body.example is not None}
    schema = {"anyOf": schemas} if len(schemas) > 1 else schemas[0]
    return {"schema": schema} | ({"examples": examples} if examples else {})
