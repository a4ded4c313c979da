"""Fetches the images that a request names by URL: from allowed hosts, at public addresses, without redirects.

A name is resolved once, its addresses are checked, and the connection goes to the address that was checked: a second answer of
the DNS can't lead elsewhere. The certificate is checked for the name.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

import httpx

from ppocr.call import Call
from ppocr.listen import joined
from ppocr_api.errors import ImageTooLarge, InvalidImage, InvalidRequest
from ppocr_limits.budget import Budget, Claim
from transformer.admission import Admission
from transformer.image_file import ImageFile
from transformer.settings import UrlSettings
from transformer.urls.hosts import PORTS, Hosts, Target, first_public
from transformer.urls.url_file import UrlFile

Address = IPv4Address | IPv6Address
#: Which of a name's addresses to connect to; None refuses them.
Choice = Callable[[Sequence[Address]], Address | None]

#: Files that are fetched at a time, of all requests.
FETCHES: Final = 32
#: What a file takes while it arrives: its pieces, and itself.
_TIMES: Final = 2
_PIECE: Final = 64 * 1024
_BINARY: Final = ("", "application/octet-stream", "binary/octet-stream")


class Fetcher:
    """Fetches files. `choose` decides which addresses may be reached; no setting can replace it."""

    def __init__(self, settings: UrlSettings, max_bytes: int, budget: Budget, choose: Choice = first_public) -> None:
        """Raises ConfigError if the list of hosts is wrong."""
        self._hosts = Hosts(settings.url_hosts)
        self._seconds = settings.url_timeout_seconds
        self._max_bytes = max_bytes
        self._budget = budget
        self._choose = choose
        self._admission = Admission(FETCHES)
        self._tls = httpx.create_ssl_context() if self._hosts else True
        # Of its own: a DNS that doesn't answer keeps threads for many seconds, and all other work would wait for them.
        self._resolver = ThreadPoolExecutor(FETCHES, "resolve")

    @asynccontextmanager
    async def fetched(self, files: Sequence[ImageFile], call: Call) -> AsyncIterator[None]:
        """With the data of those of `files` that are URLs. Their memory is claimed until the end of the block.

        Raises InvalidRequest, InvalidImage, ImageTooLarge, Overloaded.
        """
        wanted = [file for file in files if isinstance(file, UrlFile)]
        if not wanted:
            yield
            return
        if not self._hosts:
            raise InvalidRequest(f"{wanted[0].where}: URLs are not accepted; send the image as base64")
        targets = [self._hosts.target(file.url, file.where) for file in wanted]
        with Claim(self._budget) as claim:
            total = _Total(claim)
            with self._admission.enter(len(wanted), call.share):
                try:
                    async with asyncio.TaskGroup() as group:
                        for file, target in zip(wanted, targets, strict=True):
                            group.create_task(self._fetch(file, target, total))
                except BaseExceptionGroup as errors:
                    raise errors.exceptions[0] from None
            yield

    async def _fetch(self, file: UrlFile, target: Target, total: _Total) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                address = await self._address(file, target)
                file.data = await self._body(file, target, address, total)
                file.size = len(file.data)
        except TimeoutError as error:
            raise InvalidImage(f"{file.where}: the URL wasn't answered within {self._seconds:g} seconds") from error
        # UnicodeError: a name that DNS can't have.
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
            raise InvalidImage(f"{file.where}: the URL can't be fetched from {target.host[:100]!r}") from error

    async def _address(self, file: UrlFile, target: Target) -> Address:
        resolve = partial(socket.getaddrinfo, target.host, target.port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._resolver, resolve)
        address = self._choose([ip_address(each[4][0]) for each in found])
        if address is None:
            raise InvalidRequest(f"{file.where}: {target.host[:100]!r} has no public address; send the image as base64")
        return address

    async def _body(self, file: UrlFile, target: Target, address: Address, total: _Total) -> memoryview:
        usual = target.port == PORTS[target.scheme]
        headers = {
            "host": target.host if usual else joined(target.host, target.port),
            "accept": "image/*, application/octet-stream",
            "accept-encoding": "identity",
            "user-agent": "ppocr-serving",
        }
        url = f"{target.scheme}://{joined(str(address), target.port)}{target.path}"
        # Nothing of the environment: a proxy would resolve the name again.
        client = httpx.AsyncClient(trust_env=False, follow_redirects=False, verify=self._tls, timeout=self._seconds)
        async with (
            client,
            client.stream("GET", url, headers=headers, extensions={"sni_hostname": target.host}) as answer,
        ):
            self._check(file, answer)
            body = bytearray()
            async for piece in answer.aiter_raw(_PIECE):
                total.add(_TIMES * len(piece))
                body += piece
                self._check_size(file, len(body))
        return memoryview(body)

    def _check(self, file: UrlFile, answer: httpx.Response) -> None:
        """That the answer's head promises an image."""
        if answer.is_redirect:
            raise InvalidImage(f"{file.where}: the URL redirects, and redirects are not followed")
        if answer.status_code != httpx.codes.OK:
            raise InvalidImage(f"{file.where}: the URL was answered with status {answer.status_code}")
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if not kind.startswith("image/") and kind not in _BINARY:
            raise InvalidImage(f"{file.where}: the URL has the content type {kind[:60]!r}, and must be an image")
        if answer.headers.get("content-encoding", "identity").lower() != "identity":
            raise InvalidImage(f"{file.where}: the URL was answered with a content encoding")
        length = answer.headers.get("content-length", "")
        if length.isdecimal():
            self._check_size(file, int(length[:19]))

    def _check_size(self, file: UrlFile, size: int) -> None:
        if size > self._max_bytes:
            raise ImageTooLarge(f"{file.where}: the URL's file has more than {self._max_bytes} bytes")


class _Total:
    """What all files of a request take together."""

    def __init__(self, claim: Claim) -> None:
        self._claim = claim
        self._size = 0

    def add(self, size: int) -> None:
        """Raises Overloaded and PayloadTooLarge."""
        self._claim.resize(self._size + size)
        self._size += size
