"""One image's way: bytes → pixels → det → boxes → crops → rec → text. The networks are a `ppocr.contract.Predictor`."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from ppocr import telemetry
from ppocr.contract import BundleFacts, Predictor, RecAnswer
from ppocr.cpus import available_cpus
from ppocr.serving import context
from ppocr_api.errors import DeadlineExceeded, NotFound, Unavailable
from transformer import ctc
from transformer.admission import Admission, PixelGate
from transformer.boxes import boxes as find_boxes
from transformer.crops import crops as cut_crops
from transformer.det_input import det_input
from transformer.facts import FactsByVersion
from transformer.image_file import ImageFile
from transformer.images import ImageLimits, Source
from transformer.page import page_of
from transformer.parameters import Parameters
from transformer.result import Page
from transformer.settings import ReaderSettings

if TYPE_CHECKING:
    from ppocr.contract import U8

#: How often an image is read anew because the model that had begun it is gone.
SWAPS = 2
T = TypeVar("T")


class Reader:
    """Reads images. Work on pixels runs in threads of its own; what waits for the networks waits on the event loop."""

    def __init__(self, predictor: Predictor, settings: ReaderSettings) -> None:
        self._predictor = predictor
        self._settings = settings
        self._limits = ImageLimits(max_bytes=settings.max_image_bytes, max_pixels=settings.max_image_pixels)
        self._facts = FactsByVersion(predictor)
        self._admission = Admission(settings.max_images)
        self._gate = PixelGate(settings.max_decoded_pixels)
        self._threads = ThreadPoolExecutor(settings.image_threads or available_cpus(), thread_name_prefix="image")

    async def facts(self, version: str | None = None) -> BundleFacts:
        """Facts of `version`, or of the one that serves. Raises NotFound where the predictor has no such version."""
        return await self._facts.now(version)

    async def read(self, data: bytes, parameters: Parameters) -> Page:
        """One image file."""
        return (await self.read_many([ImageFile(data)], parameters))[0]

    async def read_many(self, files: list[ImageFile], parameters: Parameters, version: str | None = None) -> list[Page]:
        """All images of a request, or the first error. Admitted together; refused together when the service is full.

        `version` is the one to read with where several serve side by side; NotFound where it isn't there.
        """
        with self._admission.enter(len(files)):
            if len(files) == 1:
                return [await self._read(files[0], parameters, version)]
            try:
                async with asyncio.TaskGroup() as group:
                    tasks = [group.create_task(self._read(file, parameters, version)) for file in files]
            except BaseExceptionGroup as errors:
                raise errors.exceptions[0] from None
        return [task.result() for task in tasks]

    async def ready(self) -> bool:
        """Whether a prediction would be accepted now."""
        return await self._predictor.ready()

    async def close(self) -> None:
        """Lets running work end, then closes the predictor."""
        await self._predictor.close()
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def _read(self, file: ImageFile, parameters: Parameters, version: str | None) -> Page:
        source = await self._in_thread(file.inspect, self._limits)
        for _ in range(1 + SWAPS):
            try:
                return await self._read_once(file, source, parameters, version)
            except NotFound:
                if version is not None:
                    raise
                # The version that did the detection is gone, or was never on the pod that was asked for the lines.
                self._facts.forget()
        raise Unavailable("the model was changed again and again while the image was read")

    async def _read_once(self, file: ImageFile, source: Source, parameters: Parameters, version: str | None) -> Page:
        deadline = context.current().deadline
        facts = await self._facts.now(version)
        async with self._gate.hold(source.width * source.height):
            image, scaled = await self._in_thread(self._decode, file, source, facts, parameters)
            with telemetry.stage("det"):
                detected = await self._predictor.det(scaled, deadline, version)
            expected, facts = facts, await self._facts.of(detected.version)
            if facts.det_grid != expected.det_grid:  # a swap to a model that sees images in another size
                scaled = await self._in_thread(det_input, image, facts.det, parameters)
                with telemetry.stage("det"):
                    detected = await self._predictor.det(scaled, deadline, facts.identity)
            boxes = await self._in_thread(self._boxes, detected.probability, image.shape[:2], facts, parameters)
            if not len(boxes):
                return self._done(page_of([], boxes, image.shape[:2], facts, parameters))
            lines, order = await self._in_thread(self._crops, image, boxes, facts)
        size = image.shape[:2]
        del image, scaled
        with telemetry.stage("rec"):
            answer = await self._predictor.rec(lines, detected.version, deadline)
        facts = await self._facts.of(answer.version)
        return self._done(await self._in_thread(self._text, answer, order, boxes, size, facts, parameters))

    def _decode(self, file: ImageFile, source: Source, facts: BundleFacts, parameters: Parameters) -> tuple[U8, U8]:
        with telemetry.stage("decode"):
            image = file.decode(source)
            return image, det_input(image, facts.det, parameters)

    def _boxes(self, probability: U8, size: tuple[int, int], facts: BundleFacts, parameters: Parameters) -> Any:
        with telemetry.stage("boxes"):
            return find_boxes(probability, size, facts.det, parameters)

    def _crops(self, image: U8, boxes: Any, facts: BundleFacts) -> Any:
        with telemetry.stage("crops"):
            return cut_crops(image, boxes, facts.rec, self._settings.max_line_pixels)

    def _text(
        self,
        answer: RecAnswer,
        order: Any,
        boxes: Any,
        size: tuple[int, int],
        facts: BundleFacts,
        parameters: Parameters,
    ) -> Page:
        with telemetry.stage("ctc"):
            readings = ctc.decode(answer, facts.rec.characters)
            by_box = [readings[0]] * len(readings)
            for reading, box in zip(readings, order.tolist(), strict=True):
                by_box[box] = reading
            return page_of(by_box, boxes, size, facts, parameters)

    @staticmethod
    def _done(page: Page) -> Page:
        request = context.current()
        request.images += 1
        request.lines += len(page.lines)
        telemetry.IMAGES.inc()
        telemetry.LINES.inc(len(page.lines))
        return page

    async def _in_thread(self, work: Callable[..., T], *args: Any) -> T:
        remaining = context.current().remaining()
        if remaining is not None and remaining <= 0:
            telemetry.DROPPED.labels("deadline").inc()
            raise DeadlineExceeded("the request's time limit passed before it was computed")
        run = contextvars.copy_context().run
        return await asyncio.get_running_loop().run_in_executor(self._threads, run, work, *args)
