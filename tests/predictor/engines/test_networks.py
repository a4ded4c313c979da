"""What a network takes and refuses, and what it leaves behind."""

from __future__ import annotations

import concurrent.futures
import resource
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ppocr.contract import NetworkFacts
from ppocr_api.errors import EngineError, InvalidRequest
from predictor.bundle import Bundle
from predictor.engines.base import Answers, Capabilities, EngineName, EngineOptions, Network
from predictor.engines.choice import choose
from tests.predictor.engines.conftest import facts

pytestmark = pytest.mark.alone

if TYPE_CHECKING:
    from ppocr.contract import U8

ROOT = Path(__file__).parents[3]


def load(bundle: Bundle, network: str, engine: EngineName, streams: int = 1) -> Network:
    chosen, options = choose(engine, EngineOptions(device="cpu", precision="f32", threads=2, streams=streams))
    return chosen.load(bundle, facts(bundle, network), options)


@pytest.mark.parametrize(
    ("name", "pixels", "says"),
    [
        ("det", np.zeros((1, 64, 100, 3), np.uint8), "widths of 32 to 4000 in steps of 32 pixels; this is 64x100"),
        ("det", np.zeros((1, 64, 4032, 3), np.uint8), "widths of 32 to 4000 .*; this is 64x4032"),
        ("det", np.zeros((1, 64, 64), np.uint8), r"UINT8 \[N,H,W,3\]"),
        ("det", np.zeros((1, 64, 64, 3), np.float32), "this is float32"),
        ("rec", np.zeros((0, 48, 64, 3), np.uint8), "N at least 1"),
        ("rec", np.zeros((1, 32, 64, 3), np.uint8), "rec takes heights of 48 .*; this is 32x64"),
        ("rec", np.zeros((1, 48, 16, 3), np.uint8), "widths of 32 to 3200 in steps of 32 pixels; this is 48x16"),
        ("rec", np.zeros((1, 48, 64, 4), np.uint8), r"UINT8 \[N,H,W,3\]"),
    ],
)
def test_pixels_that_a_network_cant_take_are_refused(v6: Bundle, name: str, pixels: np.ndarray, says: str) -> None:
    network = load(v6, name, "openvino")
    with pytest.raises(InvalidRequest, match=says):
        network.infer(pixels)
    good = np.zeros((1, 48, 64, 3) if name == "rec" else (1, 64, 64, 3), np.uint8)
    assert len(network.infer(good)[0]) == 1


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_pixels_need_not_be_contiguous(v6: Bundle, page: np.ndarray, engine: EngineName) -> None:
    network = load(v6, "det", engine)
    wide = np.repeat(page, 2, axis=2)[:, :, ::2]
    assert not wide.flags.c_contiguous
    np.testing.assert_array_equal(network.infer(wide)[0], network.infer(page)[0])


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_answers_belong_to_the_caller(v6: Bundle, page: np.ndarray, engine: EngineName) -> None:
    network = load(v6, "det", engine)
    (first,) = network.infer(page)
    kept = first.copy()
    network.infer(255 - page)
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_a_closed_network_says_so(v6: Bundle, engine: EngineName) -> None:
    network = load(v6, "rec", engine)
    network.close()
    with pytest.raises(EngineError, match="closed"):
        network.infer(np.zeros((1, 48, 64, 3), np.uint8))


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_streams_run_at_once_without_mixing_their_answers(
    v6: Bundle, lines: list[np.ndarray], engine: EngineName
) -> None:
    network = load(v6, "rec", engine, streams=2)
    assert network.capabilities.streams == 2
    expected = [network.infer(group)[0] for group in lines]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda group: network.infer(group)[0], lines * 3))
    for ids, wanted in zip(found, expected * 3, strict=True):
        np.testing.assert_array_equal(ids, wanted)


def test_an_image_is_the_same_with_all_threads_as_with_one(v6: Bundle, page: np.ndarray) -> None:
    """A lone image is computed with all threads, one among others with one: its boxes must not tell."""
    alone, among = (load(v6, "det", "openvino", streams).infer(page)[0] for streams in (1, 2))
    assert alone.max() > 200
    np.testing.assert_array_equal(alone, among)


class Meeting(Network):
    """Answers when as many calls as it has streams are under way."""

    def __init__(self, facts: NetworkFacts) -> None:
        super().__init__(facts)
        self.capabilities = Capabilities("test", "CPU", "f32", 3, 0)
        self.calls = 0
        self._all = threading.Barrier(3, timeout=10)

    def _run(self, pixels: U8) -> Answers:
        self._all.wait()
        self.calls += 1
        return np.zeros((len(pixels), 8), np.int32), np.zeros((len(pixels), 8), np.float32)

    def close(self) -> None:
        pass


def test_a_size_is_prepared_for_on_all_streams_at_once(v6: Bundle) -> None:
    network = Meeting(facts(v6, "rec"))
    network.prepare((2, 48, 64, 3))
    assert network.calls == 3
    with pytest.raises(InvalidRequest, match="heights of 48"):
        network.prepare((2, 40, 64, 3))


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_out_of_memory_is_told_apart_and_survived(v6: Bundle, engine: EngineName) -> None:
    """In a process of its own, whose address space leaves no room for the batch."""
    script = f"""
        import resource, sys
        import numpy as np
        from predictor.bundle import Bundle
        from ppocr_api.errors import EngineOutOfMemory
        from predictor.engines.base import EngineOptions
        from predictor.engines.choice import choose

        engine, options = choose({engine!r}, EngineOptions(device="cpu", precision="f32", threads=1))
        bundle = Bundle.open({str(v6.path)!r})
        network = engine.load(bundle, bundle.facts().network("rec"), options)
        network.infer(np.zeros((1, 48, 64, 3), np.uint8))
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 300_000_000, resource.RLIM_INFINITY))
        def too_much():
            try:
                network.infer(np.zeros((64, 48, 1600, 3), np.uint8))
            except EngineOutOfMemory as error:
                print("out of memory:", error)
        too_much()
        print("then", network.infer(np.zeros((1, 48, 64, 3), np.uint8))[0].shape)
        too_much()
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        for width in (64, 1600, 96):
            print("then", network.infer(np.zeros((1, 48, width, 3), np.uint8))[0].shape)
        network.close()
        network = engine.load(bundle, bundle.facts().network("rec"), options)
        print("then", network.infer(np.zeros((1, 48, 64, 3), np.uint8))[0].shape)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    refused = "out of memory: no memory for a batch of [64, 48, 1600, 3]; a smaller one may work"
    then = ["then (1, 8)", "then (1, 200)", "then (1, 12)", "then (1, 8)"]
    assert done.stdout.splitlines() == [refused, "then (1, 8)", refused, *then], done.stderr[-2000:]


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_a_closed_network_gives_its_memory_back(v6: Bundle, engine: EngineName) -> None:
    """Also where somebody still holds it, as a thread does that computed its last batch."""
    held: list[Network] = []

    def cycle() -> int:
        network = load(v6, "rec", engine)
        network.infer(np.zeros((4, 48, 320, 3), np.uint8))
        network.close()
        held.append(network)
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

    for _ in range(3):
        level = cycle()
    for _ in range(6):
        last = cycle()
    # A network that stayed would add its 20 MB of weights, packed, each time.
    assert last - level < 40_000_000


def test_a_large_page_s_memory_goes_back_and_the_network_works_on(v6: Bundle, page: np.ndarray) -> None:
    """In a process of its own, whose memory nothing else uses; small pages run beside the large ones all the time."""
    program = textwrap.dedent("""
        import sys, threading
        import numpy as np
        from pathlib import Path
        from predictor.bundle import Bundle
        from ppocr_limits.memory import keep_level, resident
        from predictor.engines.base import EngineOptions
        from predictor.engines.choice import choose
        keep_level()
        bundle = Bundle.open(sys.argv[1])
        engine, options = choose("openvino", EngineOptions(device="cpu", threads=2, streams=2))
        network = engine.load(bundle, bundle.facts().network("det"), options)
        small = np.random.default_rng(0).integers(0, 256, (1, 320, 320, 3), np.uint8)
        expected = network.infer(small)[0]
        before, stop, wrong = resident(), threading.Event(), []
        def others():
            while not stop.is_set():
                if not np.array_equal(network.infer(small)[0], expected):
                    wrong.append(1)
        beside = threading.Thread(target=others)
        beside.start()
        large = [threading.Thread(target=network.infer, args=(np.zeros((1, 1600, 1600, 3), np.uint8),)) for _ in range(3)]
        for each in large: each.start()
        for each in large: each.join()
        stop.set()
        beside.join()
        assert not wrong
        print(resident() - before)
    """)
    run = subprocess.run(
        [sys.executable, "-c", program, str(v6.path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    # 2.6 million pixels take 430 MB, in each of two streams.
    assert int(run.stdout) < 200 << 20
