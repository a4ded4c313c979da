"""The page at `GET /docs`: all routes with bodies and examples, generated from the declarations, without scripts."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from ppocr.serving.declaration import Body, Declaration, Path
from ppocr_grpc.methods import GrpcMethod

_HEAD: Final = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>The API of ppocr-serving</title>
  <link rel="icon" href="web/icon.svg" type="image/svg+xml">
  <link rel="stylesheet" href="web/style.css">
  <link rel="stylesheet" href="web/docs.css">
</head>
<body class="docs">
<header>
  <h1>The API of ppocr-serving</h1>
"""
_LINKS: Final = """  <p class="quiet"><a href=".">Try it with an image</a> · <a href="openapi.json">as OpenAPI</a> ·
  <a href="v1/capabilities">capabilities, as JSON</a></p>
"""
_URL: Final = "http://127.0.0.1:8080"
#: Longer texts of an example, such as an image's base64, are cut to this many characters.
_LONGEST: Final = 60


def page(declared: Sequence[Declaration], model: str, links: bool = True) -> bytes:
    """The whole page; `model` is the model's name on the paths. `links` adds links to other pages of the main port."""
    named = "".join(f'<li><a href="#{_id(each)}">{_text(each.name)}</a></li>\n' for each in declared)
    parts = "".join(_section(each, model) for each in declared)
    head = f"{_HEAD}{_LINKS if links else ''}</header>\n"
    return f"{head}<nav><ul>\n{named}</ul></nav>\n<main>\n{parts}</main>\n</body>\n</html>\n".encode()


def _section(declared: Declaration, model: str) -> str:
    paths = "".join(_path(path, model) for path in declared.paths if path.listed)
    calls = "".join(_grpc(method) for method in declared.grpc)
    return (
        f'<section id="{_id(declared)}">\n<h2>{_text(declared.name)}</h2>\n<p>{_prose(declared.text)}</p>\n'
        f"{paths}{calls}</section>\n"
    )


def _path(path: Path, model: str) -> str:
    shown = path.path.replace("{model_name}", model)
    methods = " ".join(path.methods)
    parts = [f"<article>\n<h3><b>{methods}</b> <code>{_text(shown)}</code></h3>\n<p>{_prose(path.summary)}</p>\n"]
    if path.query:
        parts.append(_folded("query parameters", _schema(path.query)))
    parts += [_body("request", body) for body in path.bodies]
    example = next((body.example for body in path.bodies if body.example is not None), None)
    line = path.line.replace("{url}", _URL).replace("{model_name}", model)
    if line or example is not None:
        parts.append(f"<h4>with curl</h4>\n<pre>{_text(line or _curl(shown, example))}</pre>\n")
    parts += [_body("answer", body) for body in path.answers]
    if path.bodies:
        parts.append(_body("error", path.error))
    return "".join(parts) + "</article>\n"


def _grpc(method: GrpcMethod) -> str:
    name = f"{method.service}/{method.method}"
    return f"<article>\n<h3><b>gRPC</b> <code>{_text(name)}</code></h3>\n<p>{_prose(method.summary)}</p>\n</article>\n"


def _body(what: str, body: Body) -> str:
    title = f"<h4>{what}: <code>{_text(body.content_type)}</code></h4>\n"
    if body.example is not None:
        title += f"<pre>{_text(_json(_cut(body.example)))}</pre>\n"
    if body.schema.get("properties"):
        title += _folded("schema", body.schema)
    return title


def _folded(title: str, schema: Mapping[str, Any]) -> str:
    return f"<details><summary>{title}</summary>\n<pre>{_text(_json(schema))}</pre></details>\n"


def _schema(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: dict(schema) for name, schema in properties.items()}


def _curl(path: str, example: Any) -> str:
    return f"curl -H 'Content-Type: application/json' -d '{json.dumps(_cut(example))}' \\\n  {_URL}{path}"


def _cut(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= _LONGEST else value[: _LONGEST - 1] + "…"
    if isinstance(value, Mapping):
        return {name: _cut(inner) for name, inner in value.items()}
    return [_cut(inner) for inner in value] if isinstance(value, list | tuple) else value


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _id(declared: Declaration) -> str:
    return html.escape(declared.name)


def _text(text: str) -> str:
    return html.escape(text, quote=False)


def _prose(text: str) -> str:
    """A sentence of the declarations, in which code stands between backticks."""
    return "".join(_alternating(_text(text).split("`")))


def _alternating(parts: Iterable[str]) -> Iterable[str]:
    for index, part in enumerate(parts):
        yield f"<code>{part}</code>" if index % 2 else part
