"""Python clients of a running service, over HTTP and over gRPC.

    from ppocr_client import Client

    with Client("http://localhost:8080") as client:
        page = client.read("receipt.jpg")
        print(page.text)

Errors are those of `ppocr_api.errors`, as raised by the service: `RequestError` if the request must be fixed,
`RetryableError` (with `retry_after`) if the same request may succeed later. Their text is the service's message.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ppocr_api.document import Document, Line, Page, Word
from ppocr_client.images import Image, ReadParameters

if TYPE_CHECKING:
    from ppocr_client.grpc_client import AsyncGrpcClient, GrpcClient
    from ppocr_client.http_client import AsyncClient, Client

__all__ = [
    "AsyncClient",
    "AsyncGrpcClient",
    "Client",
    "Document",
    "GrpcClient",
    "Image",
    "Line",
    "Page",
    "ReadParameters",
    "Word",
]

_MODULES = {
    "AsyncClient": "ppocr_client.http_client",
    "AsyncGrpcClient": "ppocr_client.grpc_client",
    "Client": "ppocr_client.http_client",
    "GrpcClient": "ppocr_client.grpc_client",
}


def __getattr__(name: str) -> Any:
    """Loads httpx or grpc only when a client that needs it is asked for."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)
