"""Which connection is closed when all are in use: an idle one, else the one whose body has been arriving longest."""

from __future__ import annotations

import time
from typing import Final, Protocol

#: A body that has been arriving for less time isn't called slow.
SLOW_SECONDS: Final = 2.0


class Connection(Protocol):
    def abort(self) -> None:
        """Ends it at once."""

    def give_way(self) -> None:
        """Ends it with a sentence that says why."""


class Places:
    """What the connections of a server are doing, those first that have been at it for longest."""

    def __init__(self) -> None:
        self._idle: dict[Connection, None] = {}
        self._arriving: dict[Connection, float] = {}

    def waits(self, connection: Connection) -> None:
        """It waits for a request, or for a client to notice its answer."""
        self._arriving.pop(connection, None)
        self._idle[connection] = None

    def arrives(self, connection: Connection) -> None:
        """The head of a request is here, and its body is not."""
        self._idle.pop(connection, None)
        self._arriving[connection] = time.monotonic()

    def works(self, connection: Connection) -> None:
        """All of a request is here."""
        self._arriving.pop(connection, None)

    def leaves(self, connection: Connection) -> None:
        """It is closed."""
        self._idle.pop(connection, None)
        self._arriving.pop(connection, None)

    def free_one(self) -> bool:
        """Ends a connection; False if all of them are at work."""
        idle = next(iter(self._idle), None)
        if idle is not None:
            self.leaves(idle)
            idle.abort()
            return True
        slow, since = next(iter(self._arriving.items()), (None, 0.0))
        if slow is None or time.monotonic() - since < SLOW_SECONDS:
            return False
        self.leaves(slow)
        slow.give_way()
        return True
