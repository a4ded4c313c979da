"""Python clients of a running service, over HTTP and over gRPC (extra `client`).

    from ppocr.client import Client

    with Client("http://localhost:8080") as client:
        result = client.read("receipt.jpg")
        print(result.text)

Errors are those of `ppocr.errors`, as the service raised them: `RequestError` where the request can be mended,
`RetryableError` (with `retry_after`) where the same one may succeed later. Their text is the service's own sentence.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ppocr.client.images import Image, ReadParameters
from ppocr.client.result import Line, Result, Word

if TYPE_CHECKING:
    from ppocr.client.grpc_client import GrpcClient
    from ppocr.client.http_client import AsyncClient, Client

__all__ = ["AsyncClient", "Client", "GrpcClient", "Image", "Line", "ReadParameters", "Result", "Word"]

_MODULES = {
    "AsyncClient": "ppocr.client.http_client",
    "Client": "ppocr.client.http_client",
    "GrpcClient": "ppocr.client.grpc_client",
}


def __getattr__(name: str) -> Any:
    """Loads httpx or grpc only when a client that needs it is asked for."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)
