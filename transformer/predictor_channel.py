"""The gRPC channel to the predictors: finding pods, keepalive, retries, and TLS."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from grpc import aio

from ppocr import oip
from ppocr.listen import PING_MS, joined
from ppocr_api.errors import ConfigError

log = logging.getLogger("ppocr.transformer")

# gRPC itself retries a call that never left this process, or that was refused by a server that is shutting down ("transparent
# retries"). A call is retried here if the predictor says that nothing was computed, and once if its connection broke: then the
# predictor is dead, and repeating the call is safe. It is retried only once, because this call may have killed
# the predictor. RESOURCE_EXHAUSTED isn't retried here; that is left to the caller.
_SERVICE_CONFIG = json.dumps(
    {
        "loadBalancingConfig": [{"round_robin": {}}],
        "methodConfig": [{"name": [{"service": oip.SERVICE}], "waitForReady": False}],
    }
)
_OPTIONS = (
    ("grpc.service_config", _SERVICE_CONFIG),
    # The predictor is in the same network, so proxies (http_proxy, https_proxy) aren't used.
    ("grpc.enable_http_proxy", 0),
    ("grpc.enable_retries", 1),
    # A pod that disappeared is noticed within 10 s, not after the kernel's 15 minutes. The ping has its own timeout,
    # a minute by default.
    ("grpc.keepalive_time_ms", PING_MS),
    ("grpc.keepalive_timeout_ms", PING_MS),
    ("grpc.http2.ping_timeout_ms", PING_MS),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    # The predictor closes connections every few seconds. Then its name is looked up again, which finds new pods.
    ("grpc.dns_min_time_between_resolutions_ms", 1_000),
)
#: How often certificate files are checked for changes, and how long calls on a replaced channel may take [seconds].
CHECK_INTERVAL_SECONDS, CLOSE_SECONDS = 10.0, 120.0


def target(host: str, port: int) -> str:
    """gRPC's target name of the predictor, with `dns:///` so that all pods of a headless Service are found. HOST may be IPv6.

    Raises ConfigError for a URL.
    """
    if re.match(r"https?:|grpcs?:", host, re.IGNORECASE):
        raise ConfigError("predictor_host is HOST or HOST:PORT, and no URL")
    if host.startswith(("unix:", "dns:", "ipv4:", "ipv6:")):
        return host
    if host.count(":") > 1 and not host.startswith("["):
        return f"dns:///{joined(host, port)}"  # an address of IPv6
    return f"dns:///{host}" if re.fullmatch(r".*[^:]:\d+", host) else f"dns:///{host}:{port}"


def _reason(error: OSError) -> str:
    """The error's message without the path."""
    known = isinstance(error, ssl.SSLError) or not error.strerror
    return "they aren't PEM, or don't match" if known else str(error.strerror)


@dataclass(frozen=True)
class PredictorTls:
    """Files in PEM; without `ca` there is no TLS. `certificate` and `key` are the client certificate."""

    ca: str = ""
    certificate: str = ""
    key: str = ""

    def files(self) -> tuple[bytes | None, ...]:
        """The contents of the files, None for those not set. Raises OSError."""
        return tuple(Path(file).read_bytes() if file else None for file in (self.ca, self.certificate, self.key))

    def check(self) -> None:
        """Raises OSError (or ssl.SSLError) if the files are invalid; gRPC itself would report that only at each call."""
        if self.ca:
            context = ssl.create_default_context(cafile=self.ca)
            if self.certificate:
                context.load_cert_chain(self.certificate, self.key)


class Channels:
    """The current channel, which is replaced when certificates change. For one event loop."""

    def __init__(self, address: str, max_message_bytes: int, tls: PredictorTls) -> None:
        if tls.certificate and not (tls.key and tls.ca):
            raise ConfigError("predictor_cert_file needs predictor_key_file and predictor_ca_file")
        limits = [(f"grpc.max_{way}_message_length", max_message_bytes) for way in ("send", "receive")]
        self._options = (*_OPTIONS, *limits)
        self._address = address
        self._tls = tls
        self._looked = time.monotonic()
        try:
            self._files = tls.files()
            tls.check()
        except OSError as error:
            raise ConfigError(f"the files of the predictor's certificates can't be used: {_reason(error)}") from error
        self._channel = self._open()
        self._closing: set[asyncio.Task[None]] = set()

    def current(self) -> Any:
        """The channel for the next call."""
        if self._tls.ca and time.monotonic() - self._looked >= CHECK_INTERVAL_SECONDS:
            self._looked = time.monotonic()
            try:
                files = self._tls.files()
                if files != self._files:
                    self._tls.check()
            except OSError as error:
                log.error(
                    "the files of the predictor's certificates can't be used, and the former ones stay: %s",
                    _reason(error),
                )
                return self._channel
            if files != self._files:
                self._files, former = files, self._channel
                self._channel = self._open()
                closing = asyncio.get_running_loop().create_task(former.close(CLOSE_SECONDS))
                self._closing.add(closing)
                closing.add_done_callback(self._closing.discard)
                log.info("new certificates: the predictor is asked over a new connection")
        return self._channel

    async def close(self) -> None:
        for closing in list(self._closing):
            closing.cancel()
        await self._channel.close()

    def _open(self) -> Any:
        ca, certificate, key = self._files
        if ca is None or self._address.startswith("unix:"):
            return aio.insecure_channel(self._address, options=self._options)
        credentials = grpc.ssl_channel_credentials(ca, key, certificate)
        return aio.secure_channel(self._address, credentials, options=self._options)
