"""What a request's span says of it, in the words of OpenTelemetry's conventions."""

from __future__ import annotations

from typing import Any

import ppocr_tracing
from ppocr.call import Call

#: Statuses of gRPC that are the service's fault, as the conventions have them.
_FAILURES = ("UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS")


def note_http(call: Call, method: str, code: int) -> None:
    """Names the span of a request that was answered with `code`."""
    known = {"http.request.method": method, "http.route": call.route}
    of_answer = {"http.response.status_code": code, **_read(call)}
    ppocr_tracing.note(f"{method} {call.route}", {**known, **of_answer}, failed=code >= 500)


def note_grpc(call: Call, method: str, code: Any) -> None:
    """As `note_http`, of a call that ended with a `grpc.StatusCode`."""
    known = {"rpc.system": "grpc", "rpc.method": method}
    of_answer = {"rpc.grpc.status_code": code.value[0], **_read(call)}
    ppocr_tracing.note(call.route, {**known, **of_answer}, failed=code.name in _FAILURES)


def _read(call: Call) -> dict[str, int]:
    return {"ppocr.images": call.images, "ppocr.lines": call.lines}
