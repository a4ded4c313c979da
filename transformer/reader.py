"""Reads images: admits them, decodes them, and sends each through the stages of the pipeline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import ppocr_tracing
from ppocr import telemetry
from ppocr.call import Call
from ppocr.contract import DETECTION, BundleFacts, Predictor
from ppocr_api.document import Page
from ppocr_api.errors import InvalidRequest, NotFound, PpocrError, RequestError, Unavailable
from ppocr_limits.budget import Budget
from ppocr_limits.cpus import available_cpus
from ppocr_limits.memory import for_requests
from transformer.admission import Admission
from transformer.algorithms.detection_parameters import DetectionParameters
from transformer.algorithms.line_memory import PER_PIXEL
from transformer.algorithms.looks import Looks
from transformer.algorithms.margin import MARGIN, NARROW
from transformer.algorithms.tiles import TILE
from transformer.facts import FactsByVersion
from transformer.image_file import ImageFile
from transformer.images import ImageLimits, Source
from transformer.outputs.page import page_of
from transformer.parameters import Parameters
from transformer.pipeline.networks import Networks
from transformer.pipeline.page import PageInWork, View
from transformer.pipeline.plan import Reads, stages_of
from transformer.pipeline.stage import Stage, check_bundle
from transformer.pixel_gate import PixelGate
from transformer.room import Room
from transformer.settings import ReaderSettings

if TYPE_CHECKING:
    from ppocr.contract import U8

#: Bytes of a decoded pixel. Of a scaled one while detection runs: itself, the message to the predictor as it is put together
#: and as it is sent, and the network's map.
RGB, PER_SCALED_PIXEL = 3, 10
#: Bytes of a pixel of the map that those of tiles are put together to: itself, and as outlines are found in it.
PER_MAP_PIXEL = 3
#: Copies of an image that a view of its pixels makes: in another order of colours, and as coded pictures.
PICTURES = 2
#: The part of the images' memory that is for the lines cut out of them.
FOR_LINES = 0.35
#: Pixels from which work on an image takes some tenths of a second or more.
LARGE_PIXELS = 16_000_000
#: How often an image is read again because the version that had begun it was unloaded.
RETRIES_AFTER_SWAP = 2


@dataclass(frozen=True)
class Wanted:
    """What is wanted of images: with which parameters they are read, what part of the work, and who looks at the page."""

    parameters: Parameters
    reads: Reads = "page"
    view: View | None = None


class Reader:
    """Reads images. Work on pixels runs in threads of its own; what waits for the networks waits on the event loop."""

    def __init__(self, predictor: Predictor, settings: ReaderSettings, memory: int | None = None) -> None:
        """`memory` is how many bytes all images may take that are in work; None: what the settings leave them."""
        self._predictor = predictor
        self._settings = settings
        memory = memory or Budget(for_requests(settings.request_memory_bytes)).for_images
        for_lines = int(memory * FOR_LINES)
        self._max_line_pixels = min(settings.max_line_pixels, for_lines // PER_PIXEL)
        self._limits = ImageLimits(
            max_bytes=settings.max_image_bytes,
            max_pixels=settings.max_image_pixels,
            max_memory=min(ImageLimits.max_memory, memory - for_lines),
        )
        self._facts = FactsByVersion(predictor)
        self._admission = Admission(settings.max_images)
        # In bytes. Who holds some for lines waits for none for an image, so that all of them move on.
        self._gate = PixelGate(memory - for_lines)
        self._line_gate = PixelGate(for_lines)
        self._room = Room()
        self._networks = Networks(predictor, self._facts, self._room, settings.image_threads or available_cpus())

    async def facts(self, version: str | None = None) -> BundleFacts:
        """Facts of `version`, or of the one that serves. Raises NotFound where the predictor has no such version."""
        return await self._facts.current(version)

    async def read(self, data: bytes, parameters: Parameters) -> Page:
        """One image file."""
        (page,) = await self.read_many([ImageFile(data)], Wanted(parameters), Call())
        assert isinstance(page, Page)
        return page

    async def read_many(
        self, files: Sequence[ImageFile], wanted: Wanted, call: Call, *, partial: bool = False
    ) -> list[Page | PpocrError]:
        """All images of a request. Admitted together; refused together when the service is full.

        `call.version` is the version to read with where several serve side by side; NotFound where it isn't there. The first
        error of an image ends the reading of all and is raised; with `partial` it takes the image's place.
        """
        with self._admission.enter(len(files), call.share, call.remaining()) as admitted:

            async def read(file: ImageFile, index: int) -> Page:
                page = await self._read(file, index, wanted, call)
                admitted.answered()
                return page

            async def read_or_error(file: ImageFile, index: int) -> Page | PpocrError:
                try:
                    return await read(file, index)
                except RequestError as error:
                    admitted.answered()
                    return error
                except PpocrError as error:
                    return error

            async with admitted.unless_given_up():
                if partial:
                    return list(await asyncio.gather(*(read_or_error(file, index) for index, file in enumerate(files))))
                if len(files) == 1:
                    return [await read(files[0], 0)]
                try:
                    async with asyncio.TaskGroup() as group:
                        tasks = [group.create_task(read(file, index)) for index, file in enumerate(files)]
                except BaseExceptionGroup as errors:
                    raise errors.exceptions[0] from None
        return [task.result() for task in tasks]

    async def ready(self) -> bool:
        """Whether a prediction would be accepted now."""
        return await self._predictor.ready()

    async def close(self) -> None:
        """Lets running work end, then closes the predictor."""
        await self._predictor.close()
        self._networks.close()

    async def _read(self, file: ImageFile, index: int, wanted: Wanted, call: Call) -> Page:
        with ppocr_tracing.span("image", {"ppocr.image.index": index}):
            return await self._read_file(file, index, wanted, call)

    async def _read_file(self, file: ImageFile, index: int, wanted: Wanted, call: Call) -> Page:
        source = await self._networks.in_thread(call, file.inspect, self._limits)
        for _ in range(1 + RETRIES_AFTER_SWAP):
            try:
                read = await self._read_once(file, source, index, wanted, call)
            except NotFound:
                if call.version is not None:
                    raise
                # The version that had begun the page was unloaded, or was never on the pod that was asked next.
                self._facts.forget()
            else:
                call.images += 1
                call.lines += len(read.lines)
                telemetry.IMAGES.inc()
                telemetry.LINES.inc(len(read.lines))
                return read
        raise Unavailable("the model was changed repeatedly while the image was read")

    async def _read_once(self, file: ImageFile, source: Source, index: int, wanted: Wanted, call: Call) -> Page:
        stages = stages_of(wanted.reads, wanted.parameters)
        facts = await self._facts_for(stages, call.version)
        view, parameters = wanted.view, wanted.parameters
        scaled = _detected_pixels(source, facts, parameters, self._settings) if wanted.reads in ("page", "boxes") else 0
        large = source.width * source.height > LARGE_PIXELS
        with (
            await self._room.reserve(scaled, call.share) as room,
            await self._gate.hold(memory_of(source, scaled, wanted, self._settings), call.share, call.deadline) as hold,
        ):
            image = await self._networks.in_thread(call, _decode, file, source, large=large)
            page = PageInWork(
                call=call,
                parameters=wanted.parameters,
                facts=facts,
                image=image,
                size=(image.shape[0], image.shape[1]),
                free_image=hold.release,
                max_line_pixels=self._max_line_pixels,
                max_page_pixels=self._settings.max_page_pixels,
                max_detection_pixels=self._settings.max_detection_pixels,
                hold_lines=partial(self._line_gate.hold, share=call.share),
                detected=room.release,
                large=large,
                keep_image=view is not None and view.pixels,
            )
            del image
            for stage in stages:
                name, begun = type(stage).__name__.lower(), time.monotonic()
                with ppocr_tracing.span(f"stage {name}"):
                    await stage.run(page, self._networks)
                call.times.append((name, begun, time.monotonic()))
            read = await self._networks.on_lines(page, page_of, page)
            size = {"ppocr.image.width": source.width, "ppocr.image.height": source.height}
            ppocr_tracing.note("", {**size, "ppocr.bundle": page.facts.label, "ppocr.lines": len(read.lines)})
            if view is not None:
                await self._networks.in_thread(call, view.see, index, page, read)
        return read

    async def _facts_for(self, stages: Sequence[Stage], version: str | None) -> BundleFacts:
        """Facts of a bundle that has the networks of all stages. Raises InvalidRequest where the one that serves lacks some."""
        facts = await self._facts.current(version)
        try:
            check_bundle(stages, facts)
        except InvalidRequest:
            # Another version may serve since these facts were asked for: what is read tells, and this isn't read.
            facts = await self._facts.newest(version)
            check_bundle(stages, facts)
        return facts


def _detected_pixels(source: Source, facts: BundleFacts, parameters: Parameters, settings: ReaderSettings) -> int:
    """Pixels of the image that detection is given at first; 0 where the bundle has none, which a stage says."""
    network = facts.of_task(DETECTION)
    if network is None:
        return 0
    asked = DetectionParameters.of(network, parameters)
    bounds = settings.max_page_pixels, settings.max_detection_pixels
    look = Looks(source.height, source.width, network.grid, asked, *bounds).first(parameters.sets_detection_size)
    return min(look.height * look.width, look.longest_tile**2)


def memory_of(source: Source, scaled: int, wanted: Wanted, settings: ReaderSettings) -> int:
    """Bytes that an image takes: what decoding it takes at its peak, or later its pixels and what is made of them.

    Detection computes `scaled` pixels at first, and a tile of the page at a time where it looks closer.
    """
    margin = 2 * MARGIN if min(source.height, source.width) < NARROW else 0
    pixels = (source.height + margin) * (source.width + margin)
    copies = 2 if margin or wanted.parameters.text_det_box_type == "poly" else 1
    copies += PICTURES if wanted.view is not None and wanted.view.pixels else 0
    looked_at = min(pixels, settings.max_page_pixels)
    scaled = max(scaled, min(TILE**2, settings.max_detection_pixels, looked_at))
    return max(source.memory, RGB * copies * pixels + PER_SCALED_PIXEL * scaled + PER_MAP_PIXEL * looked_at)


def _decode(file: ImageFile, source: Source) -> U8:
    with telemetry.stage("decode"):
        return file.decode(source)
