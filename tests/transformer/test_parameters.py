from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from ppocr_api.errors import InvalidRequest
from ppocr_cli.read import ReadSettings
from ppocr_client import ReadParameters
from transformer.parameters import Parameters


def test_nothing_asked_leaves_all_to_the_model() -> None:
    assert Parameters.parse({}) == Parameters()
    assert Parameters.parse({"text_det_thresh": None}) == Parameters()


def test_every_parameter_is_read() -> None:
    asked = {
        "text_det_limit_side_len": 960,
        "text_det_limit_type": "min",
        "text_det_thresh": 0.3,
        "text_det_box_thresh": 0.6,
        "text_det_unclip_ratio": 2,
        "text_rec_score_thresh": 0.5,
        "return_word_box": True,
        "columns": True,
        "text_det_box_type": "poly",
    }
    expected = Parameters(960, "min", 0.3, 0.6, 2.0, 0.5, True, columns=True, text_det_box_type="poly")
    assert Parameters.parse(asked) == expected


def test_a_whole_number_may_come_as_a_float() -> None:
    side = Parameters.parse({"text_det_limit_side_len": 960.0}).text_det_limit_side_len
    assert side == 960 and isinstance(side, int)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        InvalidRequest, match=r"unknown parameter 'det_thresh'; known are columns, return_word_box, .*text_det_thresh"
    ):
        Parameters.parse({"det_thresh": 0.3})


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("text_det_limit_side_len", 31, "a whole number from 32 to 4000 pixels; got 31"),
        ("text_det_limit_side_len", 4001, "a whole number from 32 to 4000 pixels; got 4001"),
        ("text_det_limit_side_len", 960.5, "a whole number from 32 to 4000 pixels; got 960.5"),
        ("text_det_limit_side_len", True, "a whole number from 32 to 4000 pixels; got true"),
        ("text_det_limit_side_len", "960", "a whole number from 32 to 4000 pixels; got '960'"),
        ("text_det_limit_side_len", float("nan"), "a whole number from 32 to 4000 pixels; got nan"),
        ("text_det_limit_side_len", 10**400, "a whole number from 32 to 4000 pixels; got a huge number"),
        ("text_det_limit_type", "both", "'max' or 'min'; got 'both'"),
        ("text_det_limit_type", ["max"], "'max' or 'min'; got a value of type list"),
        ("text_det_thresh", -0.1, "a number from 0 to 1; got -0.1"),
        ("text_det_thresh", 1.1, "a number from 0 to 1; got 1.1"),
        ("text_det_thresh", float("nan"), "a number from 0 to 1; got nan"),
        ("text_det_box_thresh", {"a": 1}, "a number from 0 to 1; got a value of type dict"),
        ("text_det_unclip_ratio", float("inf"), "a number from 0 to 10; got inf"),
        ("text_det_unclip_ratio", 10**400, "a number from 0 to 10; got a huge number"),
        ("text_rec_score_thresh", False, "a number from 0 to 1; got false"),
        ("return_word_box", 1, "true or false; got 1"),
        ("return_word_box", "x" * 1000, "true or false; got '" + "x" * 40 + "…'"),
    ],
)
def test_a_wrong_value_is_refused_with_name_range_and_value(name: str, value: Any, sentence: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        Parameters.parse({name: value})
    assert refused.value.message == f"parameter {name} must be {sentence}"


def test_the_client_and_the_command_offer_every_parameter() -> None:
    assert list(ReadParameters.__annotations__) == [field.name for field in dataclasses.fields(Parameters)]
    assert {field.name for field in dataclasses.fields(ReadSettings)} > set(ReadParameters.__annotations__)


def test_texts_of_a_query_string() -> None:
    asked = {
        "text_det_thresh": " 0.3 ",
        "text_det_limit_side_len": "960",
        "return_word_box": "True",
        "text_det_box_thresh": "",
    }
    assert Parameters.parse_texts(asked) == Parameters(960, text_det_thresh=0.3, return_word_box=True)
    assert Parameters.parse_texts({"text_det_limit_type": "max"}).text_det_limit_type == "max"


@pytest.mark.parametrize(("text", "value"), [("1", True), ("on", True), ("Yes", True), ("0", False), ("off", False)])
def test_switches_as_forms_and_scripts_write_them(text: str, value: bool) -> None:
    assert Parameters.parse_texts({"return_word_box": text}).return_word_box is value


@pytest.mark.parametrize(
    ("name", "text"), [("text_det_thresh", "high"), ("return_word_box", "2"), ("text_det_thresh", "true")]
)
def test_texts_are_checked_like_values(name: str, text: str) -> None:
    with pytest.raises(InvalidRequest, match=f"parameter {name} must be"):
        Parameters.parse_texts({name: text})
    with pytest.raises(InvalidRequest, match="unknown parameter 'nope'"):
        Parameters.parse_texts({"nope": text})
