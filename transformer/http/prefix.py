"""Path prefix: some gateways strip it, others keep it. Both kinds of requests are answered, without a redirect."""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Receive, Scope, Send

from ppocr_api.errors import ConfigError

_RIGHT = re.compile(r"(/[\w.-]+)*")
#: By which gateways that take a prefix off say what it was; examples in errors are written with it.
_HEADER = b"x-forwarded-prefix"


def checked(root_path: str) -> str:
    """`root_path` without a slash at its end. Raises ConfigError if it is no path."""
    known = root_path.rstrip("/")
    if not _RIGHT.fullmatch(known):
        raise ConfigError(f"--root_path is {root_path!r}, and must be a path such as /ocr")
    return known


class Prefix:
    """Removes `root_path` from the start of a request's path, and a slash from its end."""

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self._app = app
        self._root = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"]
            if self._root and (path == self._root or path.startswith(self._root + "/")):
                path = path[len(self._root) :]
            path = path.rstrip("/") or "/"
            if path != scope["path"]:
                scope = {**scope, "path": path, "raw_path": path.encode()}
            if self._root and not any(name == _HEADER for name, _ in scope["headers"]):
                scope = {**scope, "headers": [*scope["headers"], (_HEADER, self._root.encode())]}
        await self._app(scope, receive, send)
