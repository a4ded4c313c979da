"""Settings that every service has: where it listens, what it lets in, how it stops, how it logs; and what two of them share."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from ppocr_settings.settings import setting

#: How often transformers ask a silent connection whether the predictor is still there [milliseconds].
PING_MS = 5_000


def listening(host: str) -> str:
    """The address to listen on for a setting: :: where the machine has no IPv6 is all of IPv4."""
    return "0.0.0.0" if host == "::" and not socket.has_dualstack_ipv6() else host


def joined(host: str, port: int) -> str:
    """HOST:PORT, with brackets around an address of IPv6."""
    return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"


@dataclass(frozen=True)
class MemorySettings:
    """How much memory requests may take."""

    request_memory_bytes: int = setting(
        "Memory that all requests may take together, in bytes: two fifths for bodies, which are refused with 429 where that is "
        "spent; the rest for decoded images, which wait. In a predictor it is for messages. 0: 60 % of what the container may "
        "have, 40 % where the networks are in it.",
        0,
        minimum=0,
    )


@dataclass(frozen=True)
class PageSettings:
    """How large a page is for a network; transformer and predictor should have the same."""

    max_detection_pixels: int = setting(
        "Most pixels of a page as detection gets it: a larger one is scaled down to it, whatever a request asks for; the "
        "predictor answers 413. A forward takes about 170 bytes of memory per pixel, and one of an unusual size runs at a time.",
        6_000_000,
        minimum=921_600,
    )


@dataclass(frozen=True)
class ListenSettings(MemorySettings):
    """Base of the settings of each service."""

    host: str = setting(
        "Address to listen on. :: is all addresses, of IPv6 and IPv4; on a machine without IPv6 those of IPv4.", "::"
    )
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
    max_connections: int = setting(
        "HTTP connections that may be open at a time, and gRPC connections, and gRPC calls. One more takes the place of the "
        "HTTP connection that has been idle longest, or whose body has been arriving for longest.",
        1000,
        minimum=1,
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
