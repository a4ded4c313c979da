"""Reads many images concurrently and returns their pages in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from ppocr_api.document import Page
from ppocr_api.errors import PpocrError
from ppocr_client.images import Image


def read_many(read: Callable[[Image], Page], images: Iterable[Image], concurrency: int) -> Iterator[Page | PpocrError]:
    """`read` in as many threads; an image that fails yields its error. `images` is drawn from as the pages are."""

    def one(image: Image) -> Page | PpocrError:
        try:
            return read(image)
        except PpocrError as error:
            return error

    waiting: deque[Future[Page | PpocrError]] = deque()
    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="ppocr-client")
    try:
        for image in images:
            waiting.append(pool.submit(one, image))
            if len(waiting) >= concurrency:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


async def read_many_async(
    read: Callable[[Image], Awaitable[Page]], images: Iterable[Image] | AsyncIterable[Image], concurrency: int
) -> AsyncIterator[Page | PpocrError]:
    """The same in tasks, which are cancelled if the loop over them is left early."""

    async def one(image: Image) -> Page | PpocrError:
        try:
            return await read(image)
        except PpocrError as error:
            return error

    waiting: deque[asyncio.Task[Page | PpocrError]] = deque()
    try:
        async for image in _each(images):
            waiting.append(asyncio.create_task(one(image)))
            if len(waiting) >= concurrency:
                yield await waiting.popleft()
        while waiting:
            yield await waiting.popleft()
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def _each(images: Iterable[Image] | AsyncIterable[Image]) -> AsyncIterator[Image]:
    if isinstance(images, AsyncIterable):
        async for image in images:
            yield image
    else:
        for image in images:
            yield image
