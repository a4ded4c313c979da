"""Items as blocks of equal size without a copy, and blocks' answers as one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ppocr.contract import Items, NetworkFacts
from ppocr_api.errors import EngineError, ImageTooLarge, InvalidRequest
from predictor.blocks import answer_of, blocks_of
from tests.predictor.facts import CLS, DET, REC


def lines_of(*widths: int, seed: int = 0) -> Items:
    size = sum(widths) * 48 * 3
    sizes = np.array([(48, width) for width in widths], np.int32).reshape(-1, 2)
    return Items(np.random.default_rng(seed).integers(0, 255, size, np.uint8), sizes)


def zeros(size: int, *sizes: tuple[int, int]) -> Items:
    return Items(np.zeros(size, np.uint8), np.array(sizes, np.int32))


def test_blocks_are_views_of_the_stretches_of_equal_sizes() -> None:
    lines = lines_of(64, 64, 320, 32, 32, 32, 64)
    blocks = blocks_of(REC, lines)
    assert [block.shape for block in blocks] == [(2, 48, 64, 3), (1, 48, 320, 3), (3, 48, 32, 3), (1, 48, 64, 3)]
    assert np.array_equal(np.concatenate([block.ravel() for block in blocks]), lines.pixels)
    assert all(np.shares_memory(block, lines.pixels) for block in blocks)


def test_pages_of_one_width_and_two_heights_are_two_blocks() -> None:
    pages = zeros((64 + 64 + 96) * 32 * 3, (64, 32), (64, 32), (96, 32))
    assert [block.shape for block in blocks_of(DET, pages)] == [(2, 64, 32, 3), (1, 96, 32, 3)]


@pytest.mark.parametrize(
    ("network", "items", "message"),
    [
        (REC, lines_of(), "at least one item"),
        (REC, lines_of(64, 33), "steps of 32 pixels; this is 48x33"),
        (REC, lines_of(64, 0), "widths of 32 to 3200 in steps of 32 pixels; this is 48x0"),
        (REC, zeros(0, (48, 32), (48, -32)), "this is 48x-32"),
        (REC, lines_of(3232), "this is 48x3232"),
        (REC, zeros(64 * 32 * 3, (64, 32)), "heights of 48 and .*; this is 64x32"),
        (REC, zeros(100, (48, 32)), "have 4608 bytes in pixels; there are 100"),
        (REC, zeros(4609, (48, 32)), "have 4608 bytes in pixels; there are 4609"),
        (REC, Items(np.zeros(4608, np.float32), np.array([[48, 32]], np.int32)), "pixels UINT8"),
        (REC, Items(np.zeros(4608, np.uint8), np.array([[48.0, 32.0]])), r"sizes INT32 \[N,2\]"),
        (REC, Items(np.zeros(4608, np.uint8), np.array([32], np.int32)), r"int32 \[1\]"),
        (REC, Items(np.zeros((1, 48, 32, 3), np.uint8), np.array([[48, 32]], np.int32)), r"\[1, 48, 32, 3\]"),
        (DET, zeros(64 * 65 * 3, (64, 65)), "steps of 32 pixels; this is 64x65"),
        (DET, zeros(0, (0, 64)), "this is 0x64"),
        (DET, zeros(4032 * 32 * 3, (4032, 32)), "heights of 32 to 4000 .*; this is 4032x32"),
        (CLS, zeros(32 * 32 * 3, (32, 32)), "cls takes heights of 32 and widths of 64 pixels; this is 32x32"),
    ],
)
def test_items_that_the_network_cannot_take_are_refused(network: NetworkFacts, items: Items, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        blocks_of(network, items)


def test_an_answer_is_flat_in_the_items_order_and_counts_each_items_elements() -> None:
    blocks = blocks_of(REC, lines_of(64, 64, 32))
    ids = [np.arange(16, dtype=np.int32).reshape(2, 8), np.arange(16, 20, dtype=np.int32).reshape(1, 4)]
    answer = answer_of(REC, blocks, [(each, each / np.float32(20)) for each in ids], "x/1@d")
    assert answer.counts.tolist() == [8, 8, 4]
    assert answer.counts.dtype == np.int32
    assert answer.outputs["ids"].tolist() == list(range(20))
    assert answer.outputs["probabilities"].dtype == np.float32
    assert list(answer.outputs) == ["ids", "probabilities"]
    assert answer.version == "x/1@d"


def test_the_answer_of_one_block_is_not_copied() -> None:
    map_of_page = np.zeros((1, 64, 32), np.uint8)
    answer = answer_of(DET, blocks_of(DET, zeros(64 * 32 * 3, (64, 32))), [(map_of_page,)], "x/1@d")
    assert answer.outputs["probability"].shape == (64 * 32,)
    assert np.shares_memory(answer.outputs["probability"], map_of_page)


@pytest.mark.parametrize(
    "outputs",
    [
        (np.zeros((2, 8), np.int32),),
        (np.zeros((2, 8), np.int32), np.zeros((2, 9), np.float32)),
        (np.zeros((2, 8), np.int32),) * 3,
    ],
)
def test_outputs_other_than_the_facts_list_are_an_engine_error(outputs: tuple[np.ndarray[Any, Any], ...]) -> None:
    with pytest.raises(EngineError, match="network rec returned different outputs"):
        answer_of(REC, blocks_of(REC, lines_of(64, 64)), [outputs], "x/1@d")


def test_a_page_over_the_service_s_limit_is_too_large() -> None:
    page = zeros(128 * 64 * 3, (128, 64))
    assert len(blocks_of(DET, page, 128 * 64)) == 1
    with pytest.raises(ImageTooLarge, match="max_detection_pixels"):
        blocks_of(DET, page, 128 * 64 - 1)
    assert len(blocks_of(REC, lines_of(320), 100)) == 1  # lines have a limit of their own
