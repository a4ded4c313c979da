"""The web pages: `GET /` to try the service, `GET /docs` with the API reference, and their files. They aren't wire formats, and
are not part of the OpenAPI description."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from fastapi import Response

from ppocr.serving.declaration import Declaration, Path
from ppocr.serving.routing import Endpoints
from transformer.web import HEADERS, asset, assets, reference

_HTML: Final = "text/html; charset=utf-8"
#: FastAPI, and so PaddleX, has another page at the second path.
_DOCS: Final = ("/docs", "/redoc")
_STYLE: Final = "/web/docs.css"
#: Files that both pages need.
_SHARED: Final = ("/web/style.css", "/web/icon.svg")

DOCS = Declaration(
    "docs",
    "The API reference as a web page, without external files.",
    (
        *(Path(path, "API reference as a web page, with examples", listed=False) for path in _DOCS),
        Path(_STYLE, "file of that page", listed=False),
    ),
)


def page(model: str = "ppocr", root_path: str = "") -> Endpoints:
    """One path for each file of the page. The page calls `model` under `root_path`."""
    files = assets(model, root_path)
    summary = "a web page to try it: drop an image, see boxes and text"
    declaration = Declaration(
        "page",
        "A web page that sends an image and shows the text and boxes.",
        tuple(Path(path, summary if path == "/" else "file of the page", listed=False) for path in files),
    )
    return Endpoints(declaration, {path: static(*file) for path, file in files.items()})


def reference_page(declared: Sequence[Declaration], model: str = "ppocr", alone: bool = False) -> Endpoints:
    """The API that `declared` describes, as a page. `alone`: on a port without the page of `/`, so without links to what that one
    has, and with the files that both need."""
    shown = static(_HTML, reference.page(declared, model, links=not alone))
    handlers = {**dict.fromkeys(_DOCS, shown), _STYLE: static("text/css; charset=utf-8", asset("docs.css"))}
    if not alone:
        return Endpoints(DOCS, handlers)
    files = assets(model)
    paths = (*DOCS.paths, *(Path(path, "file of that page", listed=False) for path in _SHARED))
    shared = {path: static(*files[path]) for path in _SHARED}
    return Endpoints(Declaration(DOCS.name, DOCS.text, paths), {**handlers, **shared})


def static(content_type: str, content: bytes) -> Callable[[], Awaitable[Response]]:
    """The handler of a static file, with the headers of the pages."""

    async def serve() -> Response:
        return Response(content, media_type=content_type, headers=HEADERS)

    return serve
