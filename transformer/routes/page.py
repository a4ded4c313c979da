"""`GET /`: the web page, and the files it needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Response

from transformer.web import HEADERS, assets


def add_page(router: APIRouter) -> None:
    """Adds one route a file of the page."""
    for path, (content_type, content) in assets().items():
        router.add_api_route(path, _serve(content_type, content), methods=["GET"], include_in_schema=False)


def _serve(content_type: str, content: bytes) -> Callable[[], Awaitable[Response]]:
    async def serve() -> Response:
        return Response(content, media_type=content_type, headers=HEADERS)

    return serve
