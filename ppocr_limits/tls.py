"""TLS of both servers. Certificates are read again when their files change."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from ppocr_api.errors import ConfigError

#: Set in the scope of a request whose client showed a certificate that was verified.
CERTIFIED = "ppocr.certified"

log = logging.getLogger("ppocr.access")

_FILES = "the files of tls_cert_file, tls_key_file and tls_client_ca_file"


@dataclass(frozen=True)
class Tls:
    """Files in PEM: the certificate with its chain, its key, and the certificates that sign clients' ("" if none are asked).

    Where clients' are asked, gRPC refuses a client without one, and HTTP answers it health and metrics alone: a kubelet has none.
    """

    certificate: str
    key: str
    client_ca: str = ""

    def stamp(self) -> tuple[int, ...]:
        """Changes with the files. Raises OSError."""
        return tuple(Path(file).stat().st_mtime_ns for file in (self.certificate, self.key, self.client_ca) if file)

    def http(self) -> ssl.SSLContext:
        """What the HTTP server listens with. Raises ConfigError."""
        self.check()
        current, stamp = self._context(), self.stamp()
        trouble = _Trouble()

        def renew(connection: Any, name: str | None, _: ssl.SSLContext) -> None:
            nonlocal current, stamp
            try:
                if (found := self.stamp()) != stamp:
                    current, stamp = self._context(), found
                trouble.over()
            except OSError as error:  # they may just be being replaced
                trouble.say(_reason(error))
            connection.context = current

        context = self._context()
        context.sni_callback = renew
        return context

    def grpc(self) -> grpc.ServerCredentials:
        """What the gRPC server listens with."""
        stamp = self.stamp()
        trouble = _Trouble()

        def renewed() -> Any:
            nonlocal stamp
            try:
                if (found := self.stamp()) == stamp:
                    trouble.over()
                    return None
                self._context()  # gRPC would complain of files that aren't right at each connection
                configuration, stamp = self._grpc_configuration(), found
            except OSError as error:
                trouble.say(_reason(error))
                return None
            trouble.over()
            return configuration

        return grpc.dynamic_ssl_server_credentials(self._grpc_configuration(), renewed, bool(self.client_ca))

    def check(self) -> None:
        """Raises ConfigError if the files aren't what they should be."""
        try:
            self._context()
        except OSError as error:
            raise ConfigError(f"{_FILES} can't be used: {_reason(error)}") from error

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate, self.key)
        if self.client_ca:
            context.load_verify_locations(self.client_ca)
            context.verify_mode = ssl.CERT_OPTIONAL
        return context

    def _grpc_configuration(self) -> Any:
        pair = (Path(self.key).read_bytes(), Path(self.certificate).read_bytes())
        return grpc.ssl_server_certificate_configuration(
            [pair], root_certificates=Path(self.client_ca).read_bytes() if self.client_ca else None
        )


def knowing_certificates(make: Callable[..., Any]) -> Callable[..., Any]:
    """`make` gives connections uvicorn's protocol; the scopes of their requests then say whether their client showed a
    certificate (CERTIFIED)."""

    def make_knowing(*args: Any, **kwargs: Any) -> Any:
        protocol = make(*args, **kwargs)
        begin, app = protocol.connection_made, protocol.app

        def connection_made(transport: asyncio.BaseTransport) -> None:
            begin(transport)
            connection = transport.get_extra_info("ssl_object")
            certified = connection is not None and bool(connection.getpeercert(binary_form=True))

            async def application(scope: Any, receive: Any, send: Any) -> None:
                scope[CERTIFIED] = certified
                await app(scope, receive, send)

            protocol.app = application

        protocol.connection_made = connection_made
        return protocol

    return make_knowing


class _Trouble:
    """Files that can't be read again: said once, and not at each connection."""

    def __init__(self) -> None:
        self._said = ""

    def say(self, reason: str) -> None:
        if reason != self._said:
            log.error("%s can't be used, and the former ones stay: %s", _FILES, reason)
        self._said = reason

    def over(self) -> None:
        self._said = ""


def _reason(error: OSError) -> str:
    """Without a path. ssl.SSLError is an OSError, too."""
    known = isinstance(error, ssl.SSLError) or not error.strerror
    return "they aren't PEM, or don't match" if known else str(error.strerror)
