"""Options of a gRPC server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ppocr.listen import PING_MS
from ppocr.serving.access import OPEN, Access
from ppocr.serving.routing import Endpoints
from ppocr.serving.wire import WireFormat
from ppocr_limits.budget import Budget
from ppocr_limits.tls import Tls

CONNECTION_AGE_MS = 4_000
#: How long a silent connection is kept.
HANDSHAKE_MS = 5_000
#: One connection may use this fraction (1/N) of the allowed calls.
_PARTS = 8
#: Supported compression: none. gRPC would decompress a message to any size before it can be checked, and images are compressed
#: already.
UNCOMPRESSED = 1


@dataclass(frozen=True)
class GrpcOptions:
    """Where the gRPC server listens (HOST:PORT and unix:PATH), what it lets in, and what it serves beside readiness."""

    addresses: Sequence[str]
    max_message_bytes: int
    timeout_seconds: float
    budget: Budget
    max_calls: int = 1000
    track: str = ""
    tls: Tls | None = None
    access: Access = OPEN
    formats: Sequence[WireFormat] = ()
    endpoints: Sequence[Endpoints] = ()

    def arguments(self) -> list[tuple[str, Any]]:
        """gRPC's own options."""
        return [
            ("grpc.max_allowed_incoming_connections", self.max_calls),
            # One connection can't use all calls; more of its calls wait at the client.
            ("grpc.max_concurrent_streams", max(self.max_calls // _PARTS, 1)),
            ("grpc.server_handshake_timeout_ms", HANDSHAKE_MS),
            ("grpc.http2.ping_timeout_ms", 10_000),
            ("grpc.compression_enabled_algorithms_bitset", UNCOMPRESSED),
            # Otherwise windows grow with the network's speed, and megabytes of each call arrive before they are awaited.
            ("grpc.http2.bdp_probe", 0),
            ("grpc.max_send_message_length", self.max_message_bytes),
            ("grpc.max_receive_message_length", self.max_message_bytes),
            ("grpc.so_reuseport", 0),
            # Clients look up the name again only when a connection ends. So they learn about new pods, and about a stopping one
            # before its lame duck is over. Calls in progress are answered on the old connection.
            ("grpc.max_connection_age_ms", CONNECTION_AGE_MS),
            # A client that asks more often than every five minutes would be refused.
            ("grpc.http2.min_ping_interval_without_data_ms", PING_MS // 2),
            ("grpc.max_connection_age_grace_ms", round(self.timeout_seconds * 1000)),
        ]
