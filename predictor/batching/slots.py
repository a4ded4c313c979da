"""A network of one version, kept loaded as long as a request or batch uses it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ppocr.contract import U8


class Network(Protocol):
    """The one method of an engine's network that the scheduler calls, from its worker threads."""

    def infer(self, pixels: U8) -> tuple[NDArray[Any], ...]:
        """`pixels` UINT8 [N,H,W,3] → arrays whose first axis is N, none of which shares memory with `pixels`.

        Raises EngineOutOfMemory if a smaller batch may work, EngineError if the network failed on this input.
        """


class Slot(Protocol):
    """One network of one loaded version. Whoever holds it has called `acquire` and not yet `release`.

    A request holds its slot from admission until it is answered, a batch while it is computed: a version that is
    swapped out may close its networks as soon as nobody holds them. Both methods may be called from any thread.
    """

    @property
    def name(self) -> str: ...

    @property
    def place(self) -> int:
        """The network's place in the pipeline: its index in the bundle's list."""

    @property
    def version(self) -> str: ...

    @property
    def network(self) -> Network: ...

    @property
    def alone(self) -> Network:
        """The same network for a forward pass that runs alone, and uses all threads of the device."""

    @property
    def batch_pixels(self) -> int:
        """How many pixels (N*H*W) a batch of this network should have at most; a single larger item still runs."""

    @property
    def batch_items(self) -> int:
        """How many items a batch of this network may have."""

    def acquire(self) -> None: ...

    def release(self) -> None: ...


class NetworkSlot:
    """A `Slot` that counts its users, and calls `on_drained` once when it is retired and nobody holds it any more.

    If `alone` is None, `network` is also used for a forward pass that runs alone.
    """

    def __init__(
        self,
        name: str,
        place: int,
        version: str,
        network: Network,
        batch_pixels: int,
        batch_items: int = 64,
        alone: Network | None = None,
    ) -> None:
        self.name = name
        self.place = place
        self.version = version
        self.network = network
        self.alone = alone or network
        self.batch_pixels = batch_pixels
        self.batch_items = batch_items
        self._lock = threading.Lock()
        self._users = 0
        self._on_drained: Callable[[], None] | None = None

    @property
    def users(self) -> int:
        return self._users

    def acquire(self) -> None:
        with self._lock:
            self._users += 1

    def release(self) -> None:
        with self._lock:
            self._users -= 1
            drained = self._take_callback()
        if drained is not None:
            drained()

    def retire(self, on_drained: Callable[[], None]) -> None:
        """Calls `on_drained` when the slot has no user: at once, or on the thread that releases it last."""
        with self._lock:
            self._on_drained = on_drained
            drained = self._take_callback()
        if drained is not None:
            drained()

    def _take_callback(self) -> Callable[[], None] | None:
        if self._users:
            return None
        callback, self._on_drained = self._on_drained, None
        return callback
