"""Detection: scales the page to the network's grid, gets its probability map, and finds boxes in it.

If the text is small, detection runs again at a larger size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ppocr import telemetry
from ppocr.contract import DETECTION, Items, NetworkFacts
from ppocr_api.errors import BadAnswer
from transformer.algorithms.boxes import boxes
from transformer.algorithms.curves import find_curved
from transformer.algorithms.detection_parameters import DetectionParameters
from transformer.algorithms.directions import directed
from transformer.algorithms.ink import ink_heights
from transformer.algorithms.looks import MAX_LOOKS, Look, Looks
from transformer.algorithms.margin import margin_of, with_margin
from transformer.algorithms.tiles import Tile, is_blank, paste, scaled_tile, tiles
from transformer.pipeline.networks import Networks
from transformer.pipeline.page import PageInWork

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ppocr.contract import U8

    F64 = NDArray[np.float64]

#: The height of the print in a curved line, roughly, as a part of the line's height.
CURVED = 0.65
#: In a narrow image, if nothing else is found, a region is text from this part of the usual threshold on: nobody crops an image
#: to a place without text, and the rectangle around a single slanted word holds much else.
CUT_OUT = 0.5


@dataclass(frozen=True)
class Detect:
    """Sets `boxes`, `either_way` and `ribbons`, and gives a narrow image its `margin`."""

    task = DETECTION
    parameter = None

    async def run(self, page: PageInWork, networks: Networks) -> None:
        page.margin = margin_of(page.image)
        if page.margin:
            page.image = await networks.in_thread(page.call, with_margin, page.image, page.margin)
        one_look = page.parameters.sets_detection_size
        network, look, probability = await _look(page, networks, lambda looks: looks.first(one_look))
        await networks.in_thread(page.call, _find, page, network, probability)
        looks, heights = _looks(page, network), np.zeros(0)
        for number in range(1, MAX_LOOKS + 1):
            if one_look or looks.is_closest(look):
                return
            heights = await networks.in_thread(page.call, _heights, page)
            closer = looks.closer(look, heights)
            if closer is None or number == MAX_LOOKS:
                break
            again = tiles(closer.height, closer.width, network.grid.height.step, closer.longest_tile)[0].pixels
            network, look, probability = await _look(page, networks, partial(_given, closer), again)
            await networks.in_thread(page.call, _find, page, network, probability)
        if warning := looks.warning(look, heights):
            page.warnings.append(warning)


async def _look(
    page: PageInWork, networks: Networks, choose: Callable[[Looks], Look], again: int = 0
) -> tuple[NetworkFacts, Look, U8]:
    """Runs the network on the page, tile by tile. Returns the network, the look, and its map U8 [h,w].

    `again`: pixels of the first tile if this isn't the page's first look, whose room in the predictor's queue is free by now.
    """
    look, parts = Look(0, 0), list[Tile]()

    def first(network: NetworkFacts) -> Items:
        nonlocal look, parts
        look = choose(_looks(page, network))
        parts = tiles(look.height, look.width, network.grid.height.step, look.longest_tile)
        return _tile(page, look, parts[0], network)

    asked = await networks.ask(page, DETECTION, "det", first, further=again)
    if len(parts) == 1:
        return asked.network, look, _map(asked.answer.outputs["probability"], look.height, look.width)
    whole = np.zeros((look.height, look.width), np.uint8)
    for part in parts:
        if part is not parts[0]:
            if await networks.in_thread(page.call, is_blank, page.image, look.height, look.width, part):
                continue
            asked = await networks.ask(page, DETECTION, "det", partial(_tile, page, look, part), further=part.pixels)
        sides = part.rows.end - part.rows.start, part.columns.end - part.columns.start
        paste(whole, _map(asked.answer.outputs["probability"], *sides), part)
    return asked.network, look, whole


def _looks(page: PageInWork, network: NetworkFacts) -> Looks:
    parameters = DetectionParameters.of(network, page.parameters)
    height, width = page.image.shape[:2]
    return Looks(height, width, network.grid, parameters, page.max_page_pixels, page.max_detection_pixels)


def _given(look: Look, looks: Looks) -> Look:
    return look


def _tile(page: PageInWork, look: Look, tile: Tile, network: NetworkFacts) -> Items:
    with telemetry.stage("scale"):
        part = scaled_tile(page.image, look.height, look.width, tile)
        return Items(np.ascontiguousarray(part).reshape(-1), np.array([part.shape[:2]], np.int32))


def _map(probability: U8, height: int, width: int) -> U8:
    if probability.size != height * width:
        raise BadAnswer(f"the map of a page of {height}x{width} has {probability.size} pixels")
    return probability.reshape(height, width)


def _find(page: PageInWork, network: NetworkFacts, probability: U8) -> None:
    with telemetry.stage("boxes"):
        size, parameters = page.image.shape[:2], DetectionParameters.of(network, page.parameters)
        if page.parameters.text_det_box_type == "poly":
            found, page.ribbons = find_curved(probability, size, parameters)
        else:
            found = boxes(probability, size, parameters)
            if page.margin and not len(found) and page.parameters.text_det_box_thresh is None:
                found = boxes(probability, size, replace(parameters, box_thresh=CUT_OUT * parameters.box_thresh))
        page.boxes, page.either_way = directed(found)


def _heights(page: PageInWork) -> F64:
    with telemetry.stage("boxes"):
        curved = [np.hypot(*(ribbon.bottom - ribbon.top).T).mean() * CURVED for ribbon in page.ribbons]
        return np.array([*ink_heights(page.image, page.boxes), *curved])
