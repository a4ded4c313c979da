"""The users: one class a protocol, all of which read one image after the other."""

from __future__ import annotations

import functools
import itertools
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import gevent
import gevent.pool
import grpc
import grpc.experimental.gevent
from locust import FastHttpUser, User, task

from loadtest.checks import Judge, WrongText
from loadtest.options import Settings
from loadtest.pictures import Picture, pictures
from loadtest.protocols import HTTP, Read, grpc_read, grpc_request
from loadtest.tally import Tally
from ppocr_api import oip
from ppocr_api.error_mapping import seconds_to_wait

# gRPC's C core would block every other user of this process while it waits.
grpc.experimental.gevent.init_gevent()

#: The types of Locust's two entries a protocol: what was read or failed, and what the service turned away for now.
READ, REFUSED = "read", "refused"
#: The answer's header (trailing metadata, over gRPC) that names the deployment it came from.
TRACK_HEADER = "x-ppocr-track"
#: Requests that a user at a rate of its own may have under way.
MAX_OUTSTANDING = 1000


@dataclass(frozen=True)
class Plan:
    """What all users of a process share. They draw from one round of images, so that each is sent as often."""

    settings: Settings
    judge: Judge
    tally: Tally
    images: Iterator[Picture]

    @classmethod
    def make(cls, settings: Settings, tally: Tally) -> Plan:
        """Raises ValueError if the images can't be used."""
        found = pictures(settings.images, settings.reference)
        judge = Judge(settings.min_recall, settings.min_agreement)
        return cls(settings, judge, tally, itertools.cycle(found))


class _Reader:
    """What the users have in common. `plan` is set before the first one is made.

    A user reads one image after the other, or sends them at a rate of its own and waits for none.
    """

    plan: ClassVar[Plan]
    speaks: ClassVar[str]
    environment: Any

    def wait_time(self) -> float:
        rate = self.plan.settings.user_rate
        return random.expovariate(rate) if rate else random.uniform(*self.plan.settings.think)

    def read_one(self) -> None:
        """Sends the next image. One that was refused is sent again, but not at a rate: there it is lost."""
        picture = next(self.plan.images)
        if self.plan.settings.user_rate:
            self._under_way.spawn(self._send, picture)
            return
        while (pause := self._send(picture)) is not None:
            gevent.sleep(pause)

    def accept(self, picture: Picture, read: Read, track: str | None, seconds: float) -> None:
        """Judges and counts an answer. Raises WrongText."""
        self.plan.judge.check(picture, read.lines)
        self.plan.tally.add(f"{track or '-'} {read.version}", len(read.lines), seconds)

    def _send(self, picture: Picture) -> float | None:
        """Seconds to wait before the same image is sent again, None when it is done with."""
        raise NotImplementedError

    @functools.cached_property
    def _under_way(self) -> Any:
        return gevent.pool.Pool(MAX_OUTSTANDING)

    def on_stop(self) -> None:
        """What is under way may end within Locust's `--stop-timeout`."""
        try:
            self._under_way.join(self.environment.stop_timeout or 0)
        finally:
            self._under_way.kill()


class HttpReader(_Reader, FastHttpUser):
    """Sends images over HTTP. A 429 or 503 with Retry-After is counted apart, and waited for."""

    abstract = True

    @task
    def read(self) -> None:
        self.read_one()

    def _send(self, picture: Picture) -> float | None:
        protocol, settings = HTTP[self.speaks], self.plan.settings
        request = protocol.request(settings.model, picture)
        headers = {**request.headers, "X-Request-Timeout-Ms": str(int(settings.timeout * 1000))}
        if settings.host_header:
            headers["Host"] = settings.host_header
        began = time.perf_counter()
        body: Any = request.body  # bytes are sent as they are, whatever Locust's annotation says
        post = self.client.post(request.path, data=body, headers=headers, name=self.speaks, catch_response=True)
        with post as answer:
            answer.request_meta["request_type"] = READ
            pause = retry_after(answer.headers.get("retry-after")) if answer.headers else None
            if answer.status_code in (429, 503) and pause is not None:
                answer.request_meta["request_type"] = REFUSED
                answer.success()
                return pause
            if answer.status_code != 200:
                answer.failure(f"{answer.status_code or answer.error}: {(answer.text or '')[:200]}")
                return None
            try:
                took, track = time.perf_counter() - began, answer.headers.get(TRACK_HEADER)
                self.accept(picture, protocol.read(answer.headers, answer.content), track, took)
            except WrongText as error:
                answer.failure(error)
            except (ValueError, KeyError, TypeError) as error:
                answer.failure(f"the answer can't be read: {type(error).__name__}: {error}")
            else:
                answer.success()
        return None


class RawBody(HttpReader):
    speaks = "raw"


class V1Json(HttpReader):
    speaks = "v1"


class V2Json(HttpReader):
    speaks = "v2"


class V2Binary(HttpReader):
    speaks = "binary"


def _channel(target: str, name: str | None, options: list[tuple[str, Any]]) -> grpc.Channel:
    """With TLS if the target begins with https://: for the name that is asked for, where there is one."""
    if not target.startswith("https://"):
        return grpc.insecure_channel(target, options)
    if name:
        options = [*options, ("grpc.ssl_target_name_override", name)]
    return grpc.secure_channel(target.removeprefix("https://"), grpc.ssl_channel_credentials(), options)


class V2Grpc(_Reader, User):
    """Sends images over gRPC, each user on a connection of its own."""

    speaks = "grpc"

    def on_start(self) -> None:
        settings = self.plan.settings
        options: list[tuple[str, Any]] = [
            ("grpc.max_send_message_length", -1),
            ("grpc.max_receive_message_length", -1),
            ("grpc.service_config", '{"loadBalancingConfig": [{"round_robin": {}}]}'),
            # Channels to one address share their connections otherwise.
            ("grpc.use_local_subchannel_pool", 1),
        ]
        if settings.authority:
            options.append(("grpc.default_authority", settings.authority))
        self._channel = _channel(settings.grpc_target, settings.authority, options)
        self._infer = oip.unary(self._channel, "ModelInfer")

    def on_stop(self) -> None:
        super().on_stop()
        self._channel.close()

    @task
    def read(self) -> None:
        self.read_one()

    def _send(self, picture: Picture) -> float | None:
        settings = self.plan.settings
        kind, pause, size = READ, None, 0
        failure: str | Exception | None = None
        started = time.perf_counter()
        try:
            answer, call = self._infer.with_call(grpc_request(settings.model, picture), timeout=settings.timeout)
            took = time.perf_counter() - started
            size = answer.ByteSize()
            self.accept(picture, grpc_read(answer), dict(call.trailing_metadata() or ()).get(TRACK_HEADER), took)
        except grpc.RpcError as error:
            took = time.perf_counter() - started
            pause = retry_after(dict(error.trailing_metadata() or ()).get("retry-after"))
            if error.code().name in ("RESOURCE_EXHAUSTED", "UNAVAILABLE") and pause is not None:
                kind = REFUSED
            else:
                pause, failure = None, f"{error.code().name}: {(error.details() or '')[:200]}"
        except (WrongText, ValueError) as error:
            failure = error
        self.environment.events.request.fire(
            request_type=kind,
            name=self.speaks,
            response_time=took * 1000,
            response_length=size,
            exception=failure,
            context={},
        )
        return pause


def retry_after(text: str | None) -> float | None:
    """Seconds of a Retry-After, None without one."""
    return None if text is None else seconds_to_wait(text)


#: What a user speaks → its class.
USERS: dict[str, Any] = {user.speaks: user for user in (RawBody, V1Json, V2Json, V2Binary, V2Grpc)}
