"""Steady load through the gateway, while something else happens to the cluster."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import httpx

from tests.cluster import images

TRACK = "x-ppocr-track"


@dataclass(frozen=True)
class Answer:
    """One answer: status 0 where none came. `model` is what the answer says computed it, `at` when, by the clock's seconds."""

    status: int
    at: float
    seconds: float
    track: str = ""
    model: str = ""
    text: str = ""
    retry_after: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Gateway:
    """The gateway's HTTP address, and a release's host there."""

    url: str
    host: str
    model: str = "ppocr"

    def read(self, client: httpx.Client, image: bytes, **headers: str) -> Answer:
        """Sends one image as a raw body; never raises."""
        began = time.time()
        try:
            answer = client.post(
                f"{self.url}/v1/models/{self.model}:predict",
                content=image,
                headers={"host": self.host, "content-type": "image/png", **headers},
            )
        except httpx.HTTPError as error:
            return Answer(0, began, time.time() - began, problem=f"{type(error).__name__}: {error}")
        seconds = time.time() - began
        track = answer.headers.get(TRACK, "")
        if answer.status_code != httpx.codes.OK:
            retry = answer.headers.get("retry-after", "")
            return Answer(answer.status_code, began, seconds, track, retry_after=retry, problem=answer.text[:200])
        page = answer.json()["predictions"][0]
        text = " ".join(found["text"] for found in page["lines"])
        return Answer(200, began, seconds, track, page["model"], text)

    def client(self) -> httpx.Client:
        return httpx.Client(timeout=70, trust_env=False)


@dataclass
class Load:
    """What has come back so far."""

    answers: list[Answer] = field(default_factory=list)

    @property
    def failed(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.status != httpx.codes.OK]

    def by_track(self) -> Counter[str]:
        return Counter(answer.track for answer in self.answers if answer.status == httpx.codes.OK)

    def summary(self) -> str:
        """One line for people."""
        times = sorted(answer.seconds for answer in self.answers)
        if not times:
            return "no requests"
        worst, middle = times[-1], times[len(times) // 2]
        return (
            f"{len(self.answers)} requests, {len(self.failed)} failed, median {middle * 1000:.0f} ms, "
            f"slowest {worst * 1000:.0f} ms, by track {dict(sorted(self.by_track().items()))}"
        )


def problems(sent: Load) -> Counter[tuple[int, str, str]]:
    """What failed, by status, Retry-After and words."""
    return Counter((answer.status, answer.retry_after, answer.problem) for answer in sent.failed)


def answers(gateway: Gateway, count: int, clients: int = 4, image: bytes | None = None, **headers: str) -> Load:
    """`count` requests for one image by `clients` threads, as fast as they are answered."""
    return answers_to(gateway, [image or images.line()] * count, clients, **headers)


def answers_to(gateway: Gateway, work: Sequence[bytes], clients: int = 4, **headers: str) -> Load:
    """A request for each image of `work`, in order, by `clients` threads, as fast as they are answered."""
    load, lock = Load(), threading.Lock()
    left = iter(work)

    def send() -> None:
        with gateway.client() as client:
            while True:
                with lock:
                    image = next(left, None)
                if image is None:
                    return
                load.answers.append(gateway.read(client, image, **headers))

    threads = [threading.Thread(target=send) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return load


@contextlib.contextmanager
def steady(
    gateway: Gateway, per_second: float = 8, clients: int = 4, image: bytes | None = None, **headers: str
) -> Iterator[Load]:
    """`per_second` requests until the block ends; a client whose answer is late skips its turns. All are waited for."""
    load, content, stop = Load(), image or images.line(), threading.Event()

    def send(offset: float) -> None:
        period = clients / per_second
        turn = time.monotonic() + offset * period
        with gateway.client() as client:
            while not stop.wait(max(0.0, turn - time.monotonic())):
                load.answers.append(gateway.read(client, content, **headers))
                turn = max(turn + period, time.monotonic())

    threads = [threading.Thread(target=send, args=(index / clients,)) for index in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        stop.set()
        for thread in threads:
            thread.join()
