"""uvicorn's HTTP/1.1 protocol, for clients that offer to continue in HTTP/2.

Java's HttpClient and `curl --http2` send `Upgrade: h2c` with each first request. A server may pass over that, but httptools then
takes the body for the other protocol's, and the application gets an empty one. Nothing here is ever upgraded.
"""

from __future__ import annotations

import re

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_UPGRADE_HEADER = re.compile(rb"\r\nupgrade:", re.IGNORECASE)
_END = b"\r\n\r\n"


class NoUpgradeProtocol(HttpToolsProtocol):
    """Gives the offer's header another name, if a request's head comes in one piece, as clients send it."""

    def data_received(self, data: bytes) -> None:
        if self.cycle is None or self.cycle.response_complete:
            head, end, body = data.partition(_END)
            if end and _UPGRADE_HEADER.search(head):
                data = b"".join((_UPGRADE_HEADER.sub(b"\r\nx-offer:", head), end, body))
        super().data_received(data)
