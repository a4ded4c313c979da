"""TLS of both servers. Certificates are read again when their files change."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from ppocr_api.errors import ConfigError

#: Set in the scope of a request whose client showed a certificate that was verified.
CERTIFIED = "ppocr.certified"


@dataclass(frozen=True)
class Tls:
    """Files in PEM: the certificate with its chain, its key, and the certificates that sign clients' ("" where none are asked).

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

        def renew(connection: Any, name: str | None, _: ssl.SSLContext) -> None:
            nonlocal current, stamp
            try:
                if (found := self.stamp()) != stamp:
                    current, stamp = self._context(), found
            except (OSError, ssl.SSLError):
                pass  # they are just being replaced
            connection.context = current

        context = self._context()
        context.sni_callback = renew
        return context

    def grpc(self) -> grpc.ServerCredentials:
        """What the gRPC server listens with."""
        stamp = self.stamp()

        def renewed() -> Any:
            nonlocal stamp
            try:
                if (found := self.stamp()) == stamp:
                    return None
                stamp = found
                return self._grpc_configuration()
            except OSError:
                return None

        return grpc.dynamic_ssl_server_credentials(self._grpc_configuration(), renewed, bool(self.client_ca))

    def check(self) -> None:
        """Raises ConfigError if the files aren't what they should be."""
        try:
            self._context()
        except (OSError, ssl.SSLError) as error:
            what = (
                error.strerror if isinstance(error, OSError) and error.strerror else "they aren't PEM, or don't match"
            )
            raise ConfigError(
                f"the files of tls_cert_file, tls_key_file and tls_client_ca_file can't be used: {what}"
            ) from error

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
