"""`GET /`: the web page, and the files it needs. No wire format: static files, which the API's description leaves out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import Response

from ppocr.serving.declaration import Declaration, Path
from ppocr.serving.routing import Endpoints
from transformer.web import HEADERS, assets


def page(model: str = "ppocr", root_path: str = "") -> Endpoints:
    """One path for each file of the page, which asks `model` under `root_path`."""
    files = assets(model, root_path)
    summary = "a web page to try it: drop an image, see boxes and text"
    declaration = Declaration(
        "page",
        "A web page that sends an image and draws what was read.",
        tuple(Path(path, summary if path == "/" else "a file of the page", listed=False) for path in files),
    )
    return Endpoints(declaration, {path: static(*file) for path, file in files.items()})


def static(content_type: str, content: bytes) -> Callable[[], Awaitable[Response]]:
    """The handler of a file, which goes out with the pages' headers."""

    async def serve() -> Response:
        return Response(content, media_type=content_type, headers=HEADERS)

    return serve
