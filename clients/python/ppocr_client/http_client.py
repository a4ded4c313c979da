"""Clients over HTTP: one image per request as raw bytes, because base64 would be a third larger."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Unpack

import httpx

from ppocr_api.document import Page
from ppocr_api.error_mapping import RETRY_AFTER, from_http
from ppocr_api.errors import DeadlineExceeded, PpocrError, Unavailable
from ppocr_client.attempts import Attempts
from ppocr_client.closing import AsyncClosing, Closing
from ppocr_client.images import Image, ReadParameters, content, content_type, query
from ppocr_client.many import read_many, read_many_async
from ppocr_client.v1 import page_of

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class _Requests:
    """What both clients share: they only differ in who waits."""

    def __init__(self, url: str, timeout: float, retries: int, model: str) -> None:
        base = url.rstrip("/")
        self._url = base
        self._predict = f"{base}/v1/models/{model}:predict"
        self._ready = f"{base}/v2/health/ready"
        self._timeout = timeout
        self._retries = retries

    def _attempts(self) -> Attempts:
        return Attempts(self._timeout, self._retries)

    def _request(self, data: bytes, parameters: ReadParameters, left: float) -> dict[str, Any]:
        headers = {"Content-Type": content_type(data), "X-Request-Timeout-Ms": str(max(1, int(left * 1000)))}
        return {"content": data, "params": query(parameters), "headers": headers, "timeout": left}

    def _failed(self, error: httpx.HTTPError, attempts: Attempts) -> float:
        """The wait before the next try. Only what never left is sent again: the rest may be in progress."""
        if isinstance(error, _NOT_SENT):
            return attempts.wait(Unavailable(f"{self._url} can't be reached: {error}", retry_after=0.0))
        if isinstance(error, httpx.TimeoutException):
            raise DeadlineExceeded(f"no answer within {self._timeout:g} s") from error
        raise Unavailable(f"the connection to {self._url} broke before the answer was here: {error}") from error


def _page(response: httpx.Response) -> Page:
    """The page in a response. Raises what its status stands for."""
    try:
        body: Any = response.json()
    except ValueError:
        body = None
    if response.status_code == httpx.codes.OK:
        predictions = body.get("predictions") if isinstance(body, dict) else None
        if not isinstance(predictions, list) or len(predictions) != 1 or not isinstance(predictions[0], dict):
            raise PpocrError("the answer has no 'predictions' for one image: is this the address of ppocr-serving?")
        return page_of(predictions[0])
    sentence = body.get("error") if isinstance(body, dict) else None
    raise from_http(
        response.status_code,
        sentence if isinstance(sentence, str) else f"the service answered {response.reason_phrase or 'an error'}",
        response.headers.get(RETRY_AFTER),
    )


class Client(_Requests, Closing):
    """Reads images through a service; can be shared by threads.

    `timeout`: seconds for one image, including retries. It is sent with the request, so the service drops work that is too late.
    `retries`: how often a request is sent again if the service never received it, or refused it with 429 or 503.
    `headers`: sent with every request, for a gateway's tokens or routing.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 60.0,
        retries: int = 3,
        model: str = "ppocr",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(url, timeout, retries, model)
        self._http = httpx.Client(headers=headers)

    def read(self, image: Image, **parameters: Unpack[ReadParameters]) -> Page:
        """The text of one image. Raises only errors of `ppocr_api.errors`."""
        data = content(image)
        attempts = self._attempts()
        while True:
            try:
                return _page(self._http.post(self._predict, **self._request(data, parameters, attempts.remaining())))
            except httpx.HTTPError as error:
                pause = self._failed(error, attempts)
            except PpocrError as error:
                pause = attempts.wait(error)
            time.sleep(pause)

    def read_many(
        self, images: Iterable[Image], concurrency: int = 4, **parameters: Unpack[ReadParameters]
    ) -> Iterator[Page | PpocrError]:
        """Reads images, `concurrency` at a time, and yields in their order; a failed one yields its error in its place.

        `images` is drawn from as the pages are: a generator of a million paths is fine.
        """
        return read_many(partial(self.read, **parameters), images, concurrency)

    def ready(self) -> bool:
        """Whether a prediction would be accepted now."""
        try:
            return self._http.get(self._ready, timeout=self._timeout).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def close(self) -> None:
        self._http.close()


class AsyncClient(_Requests, AsyncClosing):
    """`Client` for asyncio; cancelling `read` also cancels the work in the service."""

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 60.0,
        retries: int = 3,
        model: str = "ppocr",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(url, timeout, retries, model)
        self._http = httpx.AsyncClient(headers=headers)

    async def read(self, image: Image, **parameters: Unpack[ReadParameters]) -> Page:
        """The text of one image. Raises only errors of `ppocr_api.errors`."""
        data = content(image) if isinstance(image, bytes) else await asyncio.to_thread(content, image)
        attempts = self._attempts()
        while True:
            try:
                request = self._request(data, parameters, attempts.remaining())
                return _page(await self._http.post(self._predict, **request))
            except httpx.HTTPError as error:
                pause = self._failed(error, attempts)
            except PpocrError as error:
                pause = attempts.wait(error)
            await asyncio.sleep(pause)

    def read_many(
        self,
        images: Iterable[Image] | AsyncIterable[Image],
        concurrency: int = 4,
        **parameters: Unpack[ReadParameters],
    ) -> AsyncIterator[Page | PpocrError]:
        """As `Client.read_many`; leaving the loop early cancels what is still in progress."""
        return read_many_async(partial(self.read, **parameters), images, concurrency)

    async def ready(self) -> bool:
        """Whether a prediction would be accepted now."""
        try:
            return (await self._http.get(self._ready, timeout=self._timeout)).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    async def close(self) -> None:
        await self._http.aclose()
