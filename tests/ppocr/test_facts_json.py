"""Networks and facts as JSON: what is written is read, and what is wrong is refused, field by field."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from ppocr.contract import LINE_ORIENTATION, PAGE_ORIENTATION, Axis, BundleFacts
from ppocr.facts_json import MAX_LENGTH, facts_from_json, facts_to_json, network_from_json, network_to_json
from ppocr_api.errors import BundleError, InvalidRequest
from ppocr_convert import builtin, network_facts
from ppocr_convert.normalisations import HALF, IMAGENET

DET = network_facts.detection(IMAGENET, unclip_ratio=1.4)
PAGES = network_facts.orientation(PAGE_ORIENTATION, builtin.PAGE_FIT)
LINES = network_facts.orientation(LINE_ORIENTATION, builtin.LINE_FIT)
REC = network_facts.recognition(HALF)
CHARACTERS = ("", "a", "\u2028", " ")


def facts() -> BundleFacts:
    """As the built-in bundle's."""
    raw = network_to_json(REC) | {"labels": list(CHARACTERS)}
    return BundleFacts("small", "7", (PAGES, DET, LINES, network_from_json(raw)), "0123456789ab")


def test_facts_are_read_as_they_were_written() -> None:
    text = facts_to_json(facts())
    assert facts_from_json(text) == facts()
    assert "\n" not in text


def test_characters_are_written_once() -> None:
    assert facts_to_json(facts()).count(json.dumps("\u2028", ensure_ascii=False)) == 1


def test_a_bundle_that_the_former_format_cant_tell() -> None:
    for networks in ((PAGES,), (DET,), (LINES, REC)):
        written = BundleFacts("x", "1", networks, "0")
        raw = json.loads(facts_to_json(written))
        assert "det" not in raw and "rec" not in raw
        assert facts_from_json(json.dumps(raw)) == written


def test_fields_of_later_releases_are_left_out() -> None:
    raw = json.loads(facts_to_json(facts()))
    raw["colour"] = "red"
    for network in raw["networks"]:
        network["colour"] = "red"
        network["grid"]["depth"] = 3
        network["parameters"]["steps"] = [1, 2, None]
    assert facts_from_json(json.dumps(raw)) == facts()


def test_networks_of_later_releases_are_left_out() -> None:
    raw = json.loads(facts_to_json(facts()))
    later = {
        **raw["networks"][0],
        "name": "layout",
        "task": "layout",
        "outputs": [{"name": "boxes", "datatype": "FP16"}],
    }
    raw["networks"].insert(1, later)
    assert facts_from_json(json.dumps(raw)) == facts()
    later["task"] = "detection"  # one of ours must be right
    with pytest.raises(BundleError, match="datatype must be one of"):
        facts_from_json(json.dumps(raw))


@pytest.mark.parametrize(
    ("network", "name", "values"),
    [
        (1, "thresh", (7, -0.1, None, "0.3", True, [0.3], float("nan"))),
        (1, "box_thresh", (1.1, None)),
        (1, "unclip_ratio", (-1, 11, None)),
        (1, "limit_side_len", (0, 10**9, None, "960")),
        (1, "limit_type", ("both", None, 1)),
        (1, "max_candidates", (-1, 0, 5001, 1.5, None)),
        (0, "threshold", (1.5, None, "high")),
        (0, "fit", ("squeeze", None)),
        (0, "short_side", (0, 10**9, 1.5)),
        (3, "stride", (0, -8, 10**9, None)),
    ],
)
def test_parameters_that_a_stage_cant_use_are_refused(network: int, name: str, values: tuple[Any, ...]) -> None:
    for value in values:
        raw = json.loads(facts_to_json(facts()))
        raw["networks"][network]["parameters"][name] = value
        with pytest.raises(BundleError, match=f"the parameter {name} of"):
            facts_from_json(json.dumps(raw))


@pytest.mark.parametrize("side", ["height", "width"])
@pytest.mark.parametrize(
    "axis",
    [
        {"minimum": 100_000, "maximum": 100_000, "step": 1, "usual": 100_000},
        {"minimum": 32, "maximum": 100_000, "step": 32, "usual": 99_968},
        {"minimum": 32, "maximum": 100_000, "step": 49_984, "usual": 32},
    ],
    ids=["smallest", "usual", "step"],
)
def test_sizes_that_no_predictor_could_prepare_for_are_refused(axis: dict[str, int], side: str) -> None:
    raw = json.loads(facts_to_json(facts()))
    raw["networks"][1]["grid"][side] = axis
    with pytest.raises(BundleError, match="an axis begins at"):
        facts_from_json(json.dumps(raw))


@pytest.mark.parametrize("label", ["a" * 65, "\ud800", 5, None])
def test_labels_and_names_that_no_answer_can_hold_are_refused(label: Any) -> None:
    raw = json.loads(facts_to_json(facts()))
    labels = raw["rec"] | {"characters": ["", "a", label]}
    for wrong in ({"rec": labels}, {"name": label * 5 if isinstance(label, str) else label}):
        with pytest.raises(BundleError):
            facts_from_json(json.dumps(raw | wrong))


def test_what_is_wrong_is_said_without_names_of_the_inside() -> None:
    for value in (None, 5, [], {}, "x"):
        for field in ("networks", "name", "rec"):
            raw = json.loads(facts_to_json(facts()))
            set_in(field)(raw, value)
            try:
                facts_from_json(json.dumps(raw))
            except BundleError as error:
                assert not any(word in str(error) for word in ("Error", "object", "NoneType", "attribute", "subscript"))


def test_facts_that_are_too_long_are_not_read() -> None:
    with pytest.raises(BundleError, match="too long"):
        facts_from_json(" " * (MAX_LENGTH + 1))


def set_in(*path: str | int) -> Callable[[Any, Any], None]:
    """Sets what lies at `path`."""

    def change(raw: Any, value: Any) -> None:
        for key in path[:-1]:
            raw = raw[key]
        raw[path[-1]] = value

    return change


NOTHING_OF_IT: tuple[Any, ...] = (
    None,
    True,
    5,
    -1,
    1.5,
    float("nan"),
    float("inf"),
    10**400,
    "",
    "text",
    [],
    [1],
    {},
    {"a": 1},
)
#: Where something stands in a network's JSON, and the values of NOTHING_OF_IT that may stand there.
FIELDS: list[tuple[tuple[str | int, ...], tuple[Any, ...]]] = [
    (("name",), ("", "text")),
    (("task",), ("", "text")),
    (("input",), ("", "text")),
    (("grid",), ()),
    (("grid", "height"), ()),
    (("grid", "height", "minimum"), (5,)),
    (("grid", "width", "maximum"), ()),
    (("grid", "width", "step"), ()),
    (("grid", "width", "usual"), ()),
    (("normalisation",), ()),
    (("normalisation", "channels"), ()),
    (("normalisation", "mean"), ()),
    (("normalisation", "mean", 0), (True, 5, -1, 1.5)),
    (("normalisation", "std", 2), (True, 5, -1, 1.5)),
    (("outputs",), ()),
    (("outputs", 0), ()),
    (("outputs", 0, "name"), ("", "text")),
    (("outputs", 0, "datatype"), ()),
    (("labels",), ([],)),
    (("parameters",), ({}, {"a": 1})),
    (("parameters", "stride"), (5,)),
]


@pytest.mark.parametrize(("path", "allowed"), FIELDS, ids=[".".join(map(str, path)) for path, _ in FIELDS])
def test_every_value_of_the_wrong_kind_is_refused(path: tuple[str | int, ...], allowed: tuple[Any, ...]) -> None:
    accepted = [repr(value) for value in allowed]
    for value in NOTHING_OF_IT:
        raw = json.loads(facts_to_json(facts()))
        set_in("networks", 3, *path)(raw, value)
        if repr(value) in accepted:
            facts_from_json(json.dumps(raw))
            continue
        with pytest.raises(BundleError):
            facts_from_json(json.dumps(raw))


@pytest.mark.parametrize("path", [("name",), ("version",), ("digest",), ("networks",), ("rec", "characters")])
def test_facts_of_the_wrong_kind_are_refused(path: tuple[str, ...]) -> None:
    for value in (True, 5, 1.5, [1], {"a": 1}):
        raw = json.loads(facts_to_json(facts()))
        set_in(*path)(raw, value)
        with pytest.raises(BundleError):
            facts_from_json(json.dumps(raw))


@pytest.mark.parametrize("field", ["name", "task", "input", "grid", "normalisation", "outputs"])
def test_a_missing_field_is_named(field: str) -> None:
    raw = json.loads(facts_to_json(facts()))
    del raw["networks"][0][field]
    with pytest.raises(BundleError, match=field):
        facts_from_json(json.dumps(raw))


@pytest.mark.parametrize("text", ["", "{", "null", "5", '"x"', "[]", "{}", "[" * 100_000])
def test_what_is_no_facts(text: str) -> None:
    with pytest.raises(BundleError, match="the model facts can't be read"):
        facts_from_json(text)


@pytest.mark.parametrize(
    "axis",
    [(64, 32, 1, 64), (32, 64, 32, 96), (32, 64, 32, 0), (32, 100_001, 1, 32), (0, 64, 1, 32), (32, 64, 32, 33)],
)
def test_lengths_that_are_no_axis(axis: tuple[int, int, int, int]) -> None:
    raw = network_to_json(DET)
    raw["grid"]["width"] = dict(zip(("minimum", "maximum", "step", "usual"), axis, strict=True))
    with pytest.raises(ValueError, match="axis"):
        network_from_json(raw)


def test_a_grid_takes_what_lies_on_its_steps() -> None:
    axis = Axis(32, 96, 32, 64)
    assert [length for length in range(130) if axis.takes(length)] == [32, 64, 96]
    assert (str(axis), str(Axis(48, 48, 1, 48))) == ("32 to 96 in steps of 32", "48")
    assert DET.grid.whole_pages and not REC.grid.whole_pages and not LINES.grid.whole_pages
    REC.grid.check("rec", 48, 320)
    for height, width in ((32, 320), (48, 321), (48, 0), (48, 3232)):
        with pytest.raises(InvalidRequest, match="rec takes heights of 48 and widths of 32 to 3200 in steps of 32"):
            REC.grid.check("rec", height, width)
