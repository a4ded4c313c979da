"""Wraps the HTTP application in the middleware that the settings ask for."""

from __future__ import annotations

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from ppocr_api.errors import ConfigError
from transformer.http.content_encoding import ContentEncoding
from transformer.http.prefix import Prefix, checked
from transformer.settings import WebSettings

#: Headers of an answer that a page of another site may read.
_SHOWN = ("content-encoding", "inference-header-content-length", "retry-after", "x-ppocr-track")
_PREFLIGHT_SECONDS = 600


def around(app: ASGIApp, settings: WebSettings) -> ASGIApp:
    """`app` with CORS, path prefix and compression. Raises ConfigError."""
    origins = settings.cors_origins.replace(",", " ").split()
    for origin in origins:
        if origin != "*" and (not origin.startswith(("http://", "https://")) or origin.count("/") != 2):
            raise ConfigError(f"--cors_origins has {origin!r}, which is not an origin such as https://shop.example.com")
    inner: ASGIApp = Prefix(ContentEncoding(app), checked(settings.root_path))
    if not origins:
        return inner
    return CORSMiddleware(
        inner,
        allow_origins=origins,
        allow_methods=("GET", "HEAD", "POST"),
        allow_headers=("*",),
        expose_headers=_SHOWN,
        max_age=_PREFLIGHT_SECONDS,
    )
