"""Reads images: admits them, decodes them, and sends each through the stages of the pipeline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ppocr import telemetry
from ppocr.call import Call
from ppocr.contract import BundleFacts, Predictor
from ppocr.cpus import available_cpus
from ppocr_api.document import Page
from ppocr_api.errors import NotFound, PpocrError, Unavailable
from transformer.admission import Admission, PixelGate
from transformer.facts import FactsByVersion
from transformer.image_file import ImageFile
from transformer.images import ImageLimits, Source
from transformer.outputs.page import page_of
from transformer.parameters import Parameters
from transformer.pipeline.networks import Networks
from transformer.pipeline.page import PageInWork, View
from transformer.pipeline.plan import Reads, stages_of
from transformer.pipeline.stage import check_bundle
from transformer.settings import ReaderSettings

if TYPE_CHECKING:
    from ppocr.contract import U8

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

    def __init__(self, predictor: Predictor, settings: ReaderSettings) -> None:
        self._predictor = predictor
        self._settings = settings
        self._limits = ImageLimits(max_bytes=settings.max_image_bytes, max_pixels=settings.max_image_pixels)
        self._facts = FactsByVersion(predictor)
        self._admission = Admission(settings.max_images)
        self._gate = PixelGate(settings.max_decoded_pixels)
        self._networks = Networks(predictor, self._facts, settings.image_threads or available_cpus())

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
        with self._admission.enter(len(files)):
            if partial:
                errors_too = (self._page_or_error(file, index, wanted, call) for index, file in enumerate(files))
                return list(await asyncio.gather(*errors_too))
            if len(files) == 1:
                return [await self._read(files[0], 0, wanted, call)]
            try:
                async with asyncio.TaskGroup() as group:
                    tasks = [group.create_task(self._read(file, i, wanted, call)) for i, file in enumerate(files)]
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

    async def _page_or_error(self, file: ImageFile, index: int, wanted: Wanted, call: Call) -> Page | PpocrError:
        try:
            return await self._read(file, index, wanted, call)
        except PpocrError as error:
            return error

    async def _read(self, file: ImageFile, index: int, wanted: Wanted, call: Call) -> Page:
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
        facts = await self._facts.current(call.version)
        stages = stages_of(wanted.reads, wanted.parameters)
        for stage in stages:
            check_bundle(stage, facts)
        view = wanted.view
        with await self._gate.hold(source.width * source.height) as hold:
            image = await self._networks.in_thread(call, _decode, file, source)
            page = PageInWork(
                call=call,
                parameters=wanted.parameters,
                facts=facts,
                image=image,
                size=(image.shape[0], image.shape[1]),
                free_image=hold.release,
                max_line_pixels=self._settings.max_line_pixels,
                keep_image=view is not None and view.pixels,
            )
            del image
            for stage in stages:
                begun = time.monotonic()
                await stage.run(page, self._networks)
                call.times.append((type(stage).__name__.lower(), begun, time.monotonic()))
            read = page_of(page)
            if view is not None:
                await self._networks.in_thread(call, view.see, index, page, read)
        return read


def _decode(file: ImageFile, source: Source) -> U8:
    with telemetry.stage("decode"):
        return file.decode(source)
