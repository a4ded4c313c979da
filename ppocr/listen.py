"""Settings that every service has: where it listens, what it lets in, how it stops, how it logs; and what two of them share."""

from __future__ import annotations

from dataclasses import dataclass

from ppocr.settings import setting

#: How often transformers ask a silent connection whether the predictor is still there [milliseconds].
PING_MS = 5_000


@dataclass(frozen=True)
class ListenSettings:
    """Base of the settings of each service."""

    host: str = setting("Address to listen on.", "0.0.0.0")
    http_port: int = setting("Port for HTTP. KServe sets this.", 8080, minimum=1, maximum=65535)
    grpc_port: int = setting("Port for gRPC.", 8081, minimum=1, maximum=65535)
    grpc_socket: str = setting(
        "Path of a Unix socket to answer gRPC on as well; for a transformer and a predictor in one pod.", ""
    )
    tls_cert_file: str = setting(
        "Certificate with its chain, in PEM: both ports speak TLS then. Read again when it changes. Empty: no TLS.", ""
    )
    tls_key_file: str = setting("Private key of the certificate, in PEM.", "")
    tls_client_ca_file: str = setting(
        "Certificates that sign those of clients, in PEM. Set, gRPC refuses clients without one, and HTTP answers them health "
        "and metrics alone.",
        "",
    )
    max_body_bytes: int = setting(
        "Largest request of a caller, in bytes, over HTTP and gRPC.", 100 * 1024 * 1024, minimum=1024, maximum=2**31 - 1
    )
    request_timeout_seconds: float = setting(
        "Time limit of a request; a client can ask for less by a gRPC deadline or the header X-Request-Timeout-Ms.",
        60.0,
        minimum=0.001,
    )
    lame_duck_seconds: float = setting(
        "After SIGTERM: how long to go on accepting while not ready, until load balancers have noticed.", 0.0, minimum=0
    )
    drain_seconds: float = setting("After that: how long accepted requests may take to be answered.", 30.0, minimum=0)
    track: str = setting(
        "Name of this deployment in its answers (header x-ppocr-track, trailing metadata over gRPC), such as stable or "
        "canary. Empty: they name none.",
        "",
    )
    log_level: str = setting("How much is logged.", "info", choices=("debug", "info", "warning", "error"))
    log_format: str = setting("Logs as text, or as one JSON object per line.", "text", choices=("text", "json"))


@dataclass(frozen=True)
class MessageSettings:
    """What transformer and predictor must have the same, as they send each other messages."""

    max_message_bytes: int = setting(
        "Largest message between transformer and predictor, in bytes; both must have the same. An image that needs a larger "
        "one is answered 413. The lines of an image take 3 bytes per pixel: raise it with max_line_pixels.",
        256 * 1024 * 1024,
        minimum=1024,
        maximum=2**31 - 1,
    )
