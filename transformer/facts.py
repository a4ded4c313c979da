"""The facts of each bundle version, fetched once per version."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from ppocr.contract import BundleFacts, Predictor
from ppocr_api.errors import DeadlineExceeded, InvalidRequest, NotFound, RequestError, Unavailable

#: A swap is noticed by the identity in the next answer; this only bounds how long a version is taken for the one
#: that serves, and how long a request finds a version by name that has been unloaded.
FRESH_SECONDS = 10.0
#: Least time between two questions for the same facts [seconds], as requests for a version that doesn't exist, or for a network
#: that the bundle lacks, may come by the hundred. No version is loaded faster.
SPACING_SECONDS = 0.1
#: Versions come and go; the character set of one takes about 2 MB.
MAX_VERSIONS = 8
#: Versions that don't exist, which are remembered for SPACING_SECONDS; and the longest name that a version can have
#: [characters]: a bundle's name and its version are folders.
MAX_ABSENT, LONGEST = 256, 600
#: Versions that are asked for at a time and that nobody has seen yet; the others wait for their turn.
UNSEEN_AT_A_TIME = 4


@dataclass(frozen=True)
class _Asked:
    """`at`: when they were asked for, as `time.monotonic()`."""

    facts: BundleFacts
    at: float

    def fresh(self, seconds: float) -> bool:
        return time.monotonic() - self.at <= seconds


class FactsByVersion:
    """Remembers the facts of the last versions, so that an answer is always decoded with its own character set.

    An answer names the version that computed it by its identity, which contains a digest. So two different versions with the
    same name, on two pods or one after the other, are told apart. Requests that need the same facts at the same time share
    one call: without a predictor, all of them get the error after one timeout.
    """

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self._by_identity: dict[str, BundleFacts] = {}
        self._asked: dict[str, _Asked] = {}  # by what was asked for: a version, or "" for the one that serves
        self._questions: dict[str, asyncio.Task[BundleFacts]] = {}
        self._absent: dict[str, tuple[RequestError, float]] = {}  # versions: what was said of them, and when
        self._turns = asyncio.Semaphore(UNSEEN_AT_A_TIME)

    async def current(self, version: str | None = None) -> BundleFacts:
        """The facts of `version`, or of the one that serves now, at most FRESH_SECONDS old. NotFound if it doesn't exist.

        If no predictor can be reached, the known facts are still used: the answer itself names its version, and later calls wait
        longer for a predictor than this one should.
        """
        asked = self._asked.get(version or "")
        if asked is not None and asked.fresh(FRESH_SECONDS):
            return asked.facts
        return await self._renewed(version or "")

    async def newest(self, version: str | None = None) -> BundleFacts:
        """Like `current`, but asked for after this call. Calls within SPACING_SECONDS share a question."""
        called, asked = time.monotonic(), self._asked.get(version or "")
        if asked is not None and asked.fresh(SPACING_SECONDS):
            await asyncio.sleep(asked.at + SPACING_SECONDS - called)
            asked = self._asked.get(version or "")
            if asked is not None and asked.at >= called:
                return asked.facts
        return await self._renewed(version or "")

    async def _renewed(self, key: str) -> BundleFacts:
        asked, began = self._asked.get(key), time.monotonic()
        self._check_absent(key)
        try:
            facts = await (self._ask(key) if asked is not None or not key else self._ask_in_turn(key))
        except (Unavailable, DeadlineExceeded):
            if asked is None:
                raise
            facts = asked.facts
        except (NotFound, InvalidRequest) as error:
            self._absent[key] = (type(error)(error.message), time.monotonic())  # without its frames
            _forget_oldest(self._absent, MAX_ABSENT)
            raise
        self._asked.pop(key, None)  # the newest comes last
        self._asked[key] = _Asked(facts, began)
        _forget_oldest(self._asked)
        return facts

    async def for_identity(self, identity: str) -> BundleFacts:
        """The facts of the version that is named in an answer."""
        facts = self._by_identity.get(identity)
        if facts is None:
            self.forget()  # there was a swap
            facts = await self._ask(identity)
        return facts

    def forget(self) -> None:
        """Forgets which version serves, because an answer has shown that it changed."""
        self._asked.clear()

    def _check_absent(self, version: str) -> None:
        """Raises NotFound for a version that did not exist just now, or for a name that no version can have."""
        if len(version) > LONGEST:
            raise NotFound(f"the model has no version {version[:100]!r}")
        error, at = self._absent.get(version, (None, 0.0))
        if error is not None and time.monotonic() - at <= SPACING_SECONDS:
            raise type(error)(error.message)
        self._absent.pop(version, None)

    async def _ask_in_turn(self, version: str) -> BundleFacts:
        if version in self._questions:
            return await self._ask(version)
        async with self._turns:
            self._check_absent(version)  # it may have been asked for while this one waited
            asked = self._asked.get(version)
            return asked.facts if asked is not None and asked.fresh(SPACING_SECONDS) else await self._ask(version)

    async def _ask(self, key: str) -> BundleFacts:
        """Joins the question that is in progress, or asks it. A question is finished even if everybody who asked it has left."""
        question = self._questions.get(key)
        if question is None:
            question = self._questions[key] = asyncio.create_task(self._facts(key))
            question.add_done_callback(lambda done: self._answered(key, done))
        return await asyncio.shield(question)

    async def _facts(self, key: str) -> BundleFacts:
        facts = await self._predictor.facts(key or None)
        self._by_identity[facts.identity] = facts
        _forget_oldest(self._by_identity)
        return facts

    def _answered(self, key: str, question: asyncio.Task[BundleFacts]) -> None:
        self._questions.pop(key, None)
        if not question.cancelled():
            question.exception()  # marks it as seen: everybody who asked may have left


def _forget_oldest(known: dict[str, Any], most: int = MAX_VERSIONS) -> None:
    while len(known) > most:
        del known[next(iter(known))]
