"""Settings of every service: addresses, limits, shutdown and logging; and settings that two services share."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from ppocr_settings.settings import setting

#: How often transformers ask a silent connection whether the predictor is still there [milliseconds].
PING_MS = 5_000


def listening(host: str) -> str:
    """The address to listen on for the setting `host`: on a machine without IPv6, :: becomes 0.0.0.0."""
    return "0.0.0.0" if host == "::" and not socket.has_dualstack_ipv6() else host


def joined(host: str, port: int) -> str:
    """HOST:PORT, with brackets around an address of IPv6."""
    return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"


@dataclass(frozen=True)
class MemorySettings:
    """Memory for requests."""

    request_memory_bytes: int = setting(
        "Memory for all requests together, in bytes: two fifths for bodies, which are refused with 429 when it is used up; the "
        "rest for decoded images, which wait. In a predictor it is for messages. 0: 60 % of the container's memory limit, or "
        "40 % if the networks run in it.",
        0,
        minimum=0,
    )


@dataclass(frozen=True)
class PageSettings:
    """Size limit of a page for a network; transformer and predictor should have the same."""

    max_detection_pixels: int = setting(
        "Maximum pixels of a page for detection. A larger page is scaled down, whatever the request asks for; the predictor "
        "answers 413. Detection takes about 170 bytes of memory per pixel. Pages of unusual size run one at a time.",
        6_000_000,
        minimum=921_600,
    )


@dataclass(frozen=True)
class ListenSettings(MemorySettings):
    """Base of the settings of each service."""

    host: str = setting(
        "Address to listen on. :: means all IPv6 and IPv4 addresses; on a machine without IPv6, all IPv4 addresses.",
        "::",
    )
    http_port: int = setting("Port for HTTP. KServe sets this.", 8080, minimum=1, maximum=65535)
    grpc_port: int = setting("Port for gRPC.", 8081, minimum=1, maximum=65535)
    grpc_socket: str = setting(
        "Path of a Unix socket that also answers gRPC; for a transformer and a predictor in one pod.", ""
    )
    tls_cert_file: str = setting(
        "Certificate with its chain, in PEM. If set, both ports use TLS. Read again when it changes. Empty: no TLS.", ""
    )
    tls_key_file: str = setting("Private key of the certificate, in PEM.", "")
    tls_client_ca_file: str = setting(
        "CA certificates for client certificates, in PEM. If set, gRPC refuses clients without one, and HTTP answers them only "
        "health and metrics.",
        "",
    )
    max_body_bytes: int = setting(
        "Largest request in bytes, over HTTP and gRPC.", 100 * 1024 * 1024, minimum=1024, maximum=2**31 - 1
    )
    max_connections: int = setting(
        "Maximum number of open HTTP connections, of gRPC connections, and of gRPC calls. One more HTTP connection replaces "
        "the one that has been idle longest, or whose body has been arriving longest.",
        1000,
        minimum=1,
    )
    request_timeout_seconds: float = setting(
        "Time limit of a request. A client can set a shorter one by a gRPC deadline or the header X-Request-Timeout-Ms.",
        60.0,
        minimum=0.001,
    )
    lame_duck_seconds: float = setting(
        "After SIGTERM: how long to still accept requests while not ready, until load balancers have noticed.",
        0.0,
        minimum=0,
    )
    drain_seconds: float = setting(
        "After lame_duck_seconds: how long accepted requests may take to be answered.", 30.0, minimum=0
    )
    track: str = setting(
        "Name of this deployment, such as stable or canary, which its answers have in the header x-ppocr-track (trailing "
        "metadata over gRPC). Empty: no header.",
        "",
    )
    log_level: str = setting("Minimum level of log messages.", "info", choices=("debug", "info", "warning", "error"))
    log_format: str = setting("Logs as text, or as one JSON object per line.", "text", choices=("text", "json"))


@dataclass(frozen=True)
class MessageSettings:
    """Settings that must be equal in transformer and predictor."""

    max_message_bytes: int = setting(
        "Largest message between transformer and predictor, in bytes; both must have the same value. An image that needs a "
        "larger one is answered 413. Line crops take 3 bytes per pixel: raise it together with max_line_pixels.",
        256 * 1024 * 1024,
        minimum=1024,
        maximum=2**31 - 1,
    )
