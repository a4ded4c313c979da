"""Small real servers that answer what a test wrote down: the service can't be made to say 503 twice, then 200."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
from collections.abc import Iterator, Sequence
from concurrent import futures
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc

from ppocr_api import oip

PREDICTION: dict[str, Any] = {
    "lines": [{"text": "hello", "confidence": 0.5, "points": [[0, 0], [9, 0], [9, 4], [0, 4]]}],
    "width": 10,
    "height": 5,
    "model": "m/1",
}


@dataclass
class Answer:
    """One answer; `body` is sent as JSON unless it is bytes. None breaks the connection instead."""

    status: int | None = 200
    body: Any = field(default_factory=lambda: {"predictions": [PREDICTION]})
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Asked:
    """A request: its path with its query, headers and body."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Scripted:
    """The running server: its address and the requests it got."""

    address: str
    asked: list[Asked] = field(default_factory=list)


@contextlib.contextmanager
def http(*answers: Answer, tls: ssl.SSLContext | None = None) -> Iterator[Scripted]:
    """Answers the requests with `answers` in turn; as https with `tls`."""
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            headers = {name.lower(): value for name, value in self.headers.items()}
            scripted.asked.append(Asked(self.path, headers, self.rfile.read(length)))
            answer = left.pop(0)
            if answer.status is None:
                self.close_connection = True
                return
            body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    scripted = Scripted(f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield scripted
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class GrpcAnswer:
    """A ModelInferResponse, or a status code with its sentence and trailing metadata."""

    response: Any = None
    code: grpc.StatusCode | None = None
    sentence: str = ""
    trailing: tuple[tuple[str, str], ...] = ()


@dataclass
class GrpcHead:
    """What came before a call's message: its metadata, and the seconds until its deadline."""

    metadata: dict[str, str]
    left: float


@contextlib.contextmanager
def over_grpc(
    *answers: GrpcAnswer, heads: list[GrpcHead] | None = None, tls: Sequence[bytes] | None = None
) -> Iterator[tuple[str, list[Any]]]:
    """Answers ModelInfer with `answers` in turn; gives the address and the list of requests it got.

    `heads` gets the head of each; `tls` is a key and a certificate, as PEM.
    """
    left = list(answers)
    asked: list[Any] = []

    def infer(request: Any, call: grpc.ServicerContext) -> Any:
        asked.append(request)
        if heads is not None:
            heads.append(GrpcHead(dict(call.invocation_metadata()), call.time_remaining()))
        answer = left.pop(0)
        if answer.code is not None:
            call.set_trailing_metadata(answer.trailing)
            call.abort(answer.code, answer.sentence)
        return answer.response

    server = grpc.server(futures.ThreadPoolExecutor(2))
    handler = grpc.unary_unary_rpc_method_handler(
        infer, oip.ModelInferRequest.FromString, oip.ModelInferResponse.SerializeToString
    )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(oip.SERVICE, {"ModelInfer": handler}),))
    if tls is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([tuple(tls)]))
    server.start()
    try:
        yield f"127.0.0.1:{port}", asked
    finally:
        server.stop(0).wait()
