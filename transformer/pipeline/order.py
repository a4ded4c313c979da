"""Puts the lines in the order in which a person reads them."""

from __future__ import annotations

from dataclasses import dataclass

from transformer.algorithms.reading_order import reading_order
from transformer.pipeline.networks import Networks
from transformer.pipeline.page import PageInWork


@dataclass(frozen=True)
class Order:
    """Sets `order`."""

    task = None
    parameter = None

    async def run(self, page: PageInWork, networks: Networks) -> None:
        page.order = reading_order(page.boxes)
