"""From a page in work to the page of an answer."""

from __future__ import annotations

import numpy as np
import pytest

from ppocr.call import Call
from ppocr_api.errors import PayloadTooLarge
from tests.transformer.lying import FACTS
from transformer.algorithms.ctc import Reading
from transformer.outputs.page import MAX_WORDS, page_of
from transformer.parameters import Parameters
from transformer.pipeline.page import PageInWork


def work(call: Call, words: bool = True) -> PageInWork:
    """A page of one line that says "ab cd"."""
    text = tuple("ab cd")
    page = PageInWork(
        call=call,
        parameters=Parameters(return_word_box=words),
        facts=FACTS,
        image=np.zeros((100, 200, 3), np.uint8),
        size=(100, 200),
        free_image=lambda: None,
        max_line_pixels=1,
        boxes=np.array([[[10, 10], [110, 10], [110, 30], [10, 30]]], np.float32),
        order=np.zeros(1, np.intp),
    )
    page.readings = [
        Reading("ab cd", 0.9, text, np.arange(5) * 2.0, np.array([0.8, 1, 0.5, 0.6, 0.7], np.float32), 10.0)
    ]
    return page


def test_words_have_their_own_confidence_and_place() -> None:
    ((line,),) = (page_of(work(Call())).lines,)
    assert line.words is not None
    assert [(word.text, word.confidence) for word in line.words] == [("ab", 0.9), ("cd", 0.65)]
    first, second = (word.points for word in line.words)
    assert first[0] == (10, 10) and first[1][0] <= second[0][0] and second[2][1] == pytest.approx(30)


def test_a_request_has_so_many_words_and_no_more() -> None:
    call = Call()
    call.words = MAX_WORDS - 2
    assert page_of(work(call)).lines[0].words
    with pytest.raises(PayloadTooLarge, match="return_word_box"):
        page_of(work(call))
    assert page_of(work(call, words=False)).lines[0].words is None
