"""Authorization: checked for every call except probes and metrics, before its body is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ppocr import telemetry
from ppocr.call import Call
from ppocr_api.errors import Unauthorized


@dataclass(frozen=True)
class Access:
    """`client_of` gives the name of the key in an Authorization header, or raises Unauthorized; without it no key is needed.
    `certificates`: whether HTTP needs a client's certificate; gRPC sees to that itself.
    """

    client_of: Callable[[str], str] | None = None
    certificates: bool = False

    def check(self, call: Call, authorization: str, certified: bool) -> None:
        """Sets the client's name in `call`. Raises Unauthorized."""
        if self.certificates and not certified:
            raise Unauthorized("this service needs a certificate of the client")
        if self.client_of is not None:
            call.came_from(self.client_of(authorization))


#: No authorization.
OPEN = Access()


def noted(call: Call, code: str) -> str:
    """Counts an answer for its client; returns what the log says of it."""
    if not call.client:
        return ""
    telemetry.CLIENT_REQUESTS.labels(call.client, code).inc()
    return f" client={call.client}"
