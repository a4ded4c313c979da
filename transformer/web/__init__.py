"""The page at `GET /`: static files that come with the package, and the headers they are served with."""

from __future__ import annotations

import html
from importlib import resources
from typing import Final
from urllib.parse import quote

#: Nothing but the page's own files runs or loads; `blob:` is the chosen image, shown from the browser's memory.
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self';"
        " base-uri 'self'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}

_FILES: Final = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/web/app.js": ("app.js", "text/javascript; charset=utf-8"),
    "/web/style.css": ("style.css", "text/css; charset=utf-8"),
    "/web/icon.svg": ("icon.svg", "image/svg+xml"),
}


def assets(model: str = "ppocr", root_path: str = "") -> dict[str, tuple[str, bytes]]:
    """Path → content type and bytes of every file of the page, which asks `model` under `root_path`."""
    files = {path: (kind, asset(name)) for path, (name, kind) in _FILES.items()}
    kind, content = files["/"]
    # Its links are relative, so it works behind a gateway that takes a prefix off. If the prefix is known, it also works
    # without a slash at the end of its address.
    base = f'<base href="{html.escape(root_path.rstrip("/"))}/">' if root_path else ""
    filled = content.replace(b"<!-- base -->", base.encode()).replace(b"MODEL", html.escape(quote(model)).encode())
    return {**files, "/": (kind, filled)}


def asset(name: str) -> bytes:
    """A file that comes with the package."""
    return (resources.files(__name__) / name).read_bytes()
