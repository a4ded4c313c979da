"""ONNX Runtime on CUDA: a session for each shape of input.

Since 1.20, ONNX Runtime keeps the plans of a network's convolutions for only one shape, and plans again when the shape changes:
on an H100 this takes 0.4 s for a page and 2.4 s for lines. So each shape gets its own session, which keeps its plans. Batches
are padded to two sizes per width, so that there are few shapes. With fixed shapes, the kernels of a forward pass are also
recorded as a CUDA graph, which is started by one call.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime as ort

from ppocr.contract import NetworkFacts
from ppocr_api.errors import EngineOutOfMemory, PpocrError
from predictor.engines.base import Answers, Capabilities, Network, check_answers

if TYPE_CHECKING:
    from ppocr.contract import U8

log = logging.getLogger("ppocr.predictor")

Shape = tuple[int, ...]
#: Items of a small batch of lines. Larger batches are padded to a full batch.
SMALL_BATCH = 4
#: Maximum number of sessions per network. Each holds the parameters and the buffers for its shape: on an H100
#: about 250 MiB, and 50 MiB of the machine's memory.
MAX_SESSIONS = 64
#: The identifier that tells ONNX Runtime not to record a run.
_NOT_RECORDED = "-1"


@dataclass(frozen=True)
class Place:
    """The memory of input and answers: "cuda" and the GPU's number, or "cpu" and 0."""

    device: str
    number: int

    @property
    def arena(self) -> str:
        return f"{'gpu' if self.device == 'cuda' else self.device}:{self.number}"


class Exclusion:
    """Lets forward passes run at the same time, but a recording only alone: CUDA allows no other call meanwhile."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running = 0
        self._recording = False

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._recording)
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    @contextlib.contextmanager
    def recording(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._recording)
            self._recording = True
            self._changed.wait_for(lambda: not self._running)
        try:
            yield
        finally:
            with self._changed:
                self._recording = False
                self._changed.notify_all()


#: Shared by all networks of this process. One thread at a time opens and records a session: planning is no faster on more.
EXCLUSION = Exclusion()
_opening = threading.Lock()


class NetworkByShape(Network):
    """The most recently used sessions, by shape. Threads may run different shapes at once; those of one shape take turns.

    `open_session(shape, recorded)` opens a session, which can be recorded if `recorded` is True. `translated` turns an error
    of the library into one of ours.
    """

    def __init__(
        self,
        facts: NetworkFacts,
        open_session: Callable[[Shape, bool], ort.InferenceSession],
        translated: Callable[[Exception, U8], PpocrError],
        capabilities: Capabilities,
        place: Place,
    ) -> None:
        super().__init__(facts)
        self.capabilities, self.place = capabilities, place
        self._open_session, self._translated = open_session, translated
        self._recorded = True
        self._lock = threading.Lock()
        self._sessions: OrderedDict[Shape, _Session] = OrderedDict()

    def prepare(self, shape: tuple[int, int, int, int]) -> None:
        """Runs the network once, because all threads share the session of a shape."""
        self.infer(np.zeros(shape, np.uint8))

    def _run(self, pixels: U8) -> Answers:
        filled = pixels if self.facts.grid.whole_pages else self._filled(pixels)
        while True:
            try:
                answers = self._session(filled.shape).run(filled)
                return check_answers(tuple(answer[: len(pixels)] for answer in answers), pixels)
            except Exception as error:
                failure = self._translated(error, pixels)
                if not isinstance(failure, EngineOutOfMemory) or not self._forget_others(filled.shape):
                    raise failure from error

    def close(self) -> None:
        self._sessions.clear()

    def _filled(self, pixels: U8) -> U8:
        """Pads a batch with zeros to a small or a full batch; the answers for the padding are discarded."""
        count, height, width, _ = pixels.shape
        room = max(count, self.capabilities.batch_pixels // (height * width))
        full = SMALL_BATCH if count <= SMALL_BATCH else 1 << (room - 1).bit_length()
        if full == count:
            return pixels
        filled = np.zeros((full, *pixels.shape[1:]), np.uint8)
        filled[:count] = pixels
        return filled

    def _session(self, shape: Shape) -> _Session:
        with self._lock:
            session = self._sessions.get(shape)
            if session is None:
                session = self._sessions[shape] = _Session(self, shape)
                if len(self._sessions) > MAX_SESSIONS:
                    self._sessions.popitem(last=False)
            self._sessions.move_to_end(shape)
            return session

    def _forget_others(self, shape: Shape) -> bool:
        """Releases the memory of this shape and of the least recently used half of the others. False if there are no others."""
        with self._lock:
            self._sessions.pop(shape, None)
            others = list(self._sessions)
            for each in others[: (len(others) + 1) // 2]:
                del self._sessions[each]
        return bool(others)

    def open(self, shape: Shape) -> tuple[ort.InferenceSession, bool]:
        """A new session for that shape, and whether its kernels can be recorded, for which all of them must run on CUDA."""
        if self._recorded:
            try:
                return self._open_session(shape, True), True
            except Exception as error:
                if "graph capture" not in str(error):
                    raise
                self._recorded = False
                log.warning(
                    "the network %s runs without CUDA graphs: some of its kernels run on the CPU", self.facts.name
                )
        return self._open_session(shape, False), False


class _Session:
    """One shape: its session, and the device's memory for input and answers.

    All runs are in one thread, because ONNX Runtime keeps a recording for each thread. A session that is dropped while it
    runs is released afterwards.
    """

    def __init__(self, network: NetworkByShape, shape: Shape) -> None:
        self._network, self._shape = network, shape
        self._thread = ThreadPoolExecutor(1, f"{network.facts.name}-{'x'.join(map(str, shape))}")
        self._session: ort.InferenceSession | None = None
        self._binding: Any = None
        self._input: Any = None
        self._outputs: list[Any] = []

    def run(self, pixels: U8) -> list[np.ndarray]:
        return self._thread.submit(self._run, pixels).result()

    def _run(self, pixels: U8) -> list[np.ndarray]:
        if self._session is None:
            with _opening:
                self._session = self._open(pixels)
        with EXCLUSION.running():
            self._input.update_inplace(pixels)
            self._session.run_with_iobinding(self._binding)
            return [output.numpy() for output in self._outputs]

    def _open(self, pixels: U8) -> ort.InferenceSession:
        session, recorded = self._network.open(self._shape)
        place, binding = self._network.place, session.io_binding()
        self._input = ort.OrtValue.ortvalue_from_numpy(pixels, place.device, place.number)
        binding.bind_ortvalue_input(self._network.facts.input, self._input)
        names = [output.name for output in self._network.facts.outputs]
        for name in names:
            binding.bind_output(name, place.device, place.number)
        # The first run makes the plans and finds out what memory they need; the next takes it in one piece.
        first, second = ort.RunOptions(), ort.RunOptions()
        first.add_run_config_entry("memory.enable_memory_arena_shrinkage", place.arena)
        for options in (first, second):
            options.add_run_config_entry("gpu_graph_id", _NOT_RECORDED)
            session.run_with_iobinding(binding, options)
        # A recording writes to the same places each time.
        self._outputs, self._binding = binding.get_outputs(), binding
        binding.clear_binding_outputs()
        for name, output in zip(names, self._outputs, strict=True):
            binding.bind_ortvalue_output(name, output)
        if recorded:
            with EXCLUSION.recording():
                session.run_with_iobinding(binding)
        return session
