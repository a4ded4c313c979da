"""What Locust doesn't count: images and lines. The workers of a distributed run send theirs to the master."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

_KEY = "ppocr_tally"


@dataclass
class Tally:
    """Images that were read as they should be, and the lines in them."""

    images: int = 0
    lines: int = 0

    def add(self, lines: int, images: int = 1) -> None:
        self.images += images
        self.lines += lines

    def reset(self) -> None:
        """Starts counting again, as `--reset-stats` does it with Locust's own figures."""
        self.images = self.lines = 0

    def send(self, client_id: str, data: dict[str, Any]) -> None:
        """A worker's report: what was counted since the last one."""
        data[_KEY] = asdict(self)
        self.reset()

    def receive(self, client_id: str, data: dict[str, Any]) -> None:
        """The master's side of it."""
        self.add(**data[_KEY])
