"""What holds for every adapter: its examples are right, wrong types are the caller's error, errors have a form."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest

from ppocr.serving.declaration import Body, Path
from ppocr_api.document import Page
from ppocr_api.errors import Overloaded, PpocrError, RequestError
from tests.transformer.routes.exchanges import FULL, PLAIN, posted
from tests.wrong_types import wrong_types
from transformer.parameters import Parameters
from transformer.routes import FORMATS
from transformer.routes.adapter import Adapter

EXAMPLES = [
    (adapter, path, body)
    for adapter in FORMATS
    for path in adapter.declaration.paths
    for body in path.bodies
    if body.example is not None
]


@pytest.mark.parametrize(("adapter", "path", "body"), EXAMPLES, ids=lambda part: getattr(part, "content_type", None))
def test_the_declared_example_is_a_request(adapter: Adapter, path: Path, body: Body) -> None:
    request = posted(body.example, body.content_type)
    assert adapter.takes(request)
    asked = adapter.parse(request)
    assert len(asked.files) == 1
    assert adapter.render(request, asked, [PLAIN]).status == 200


#: A member that must be there, and whose value the retired server didn't look at either.
NOT_LOOKED_AT = {"web_service": "$.fetch"}


def test_every_format_has_an_example_or_takes_only_files() -> None:
    with_example = {adapter.declaration.name for adapter, _, _ in EXAMPLES}
    assert {adapter.declaration.name for adapter in FORMATS} - with_example == {"raw", "multipart"}


@pytest.mark.parametrize(
    "adapter", [each for each in FORMATS if each.declaration.name in FULL], ids=lambda each: each.declaration.name
)
def test_a_value_of_a_wrong_type_is_the_callers_error(adapter: Adapter) -> None:
    """At every place, of every type: read or refused, and nothing else."""
    refused = read = 0
    for place, mutant in wrong_types(FULL[adapter.declaration.name]):
        request = posted(mutant)
        if place.startswith(NOT_LOOKED_AT.get(adapter.declaration.name, "none")):
            adapter.parse(request)
            continue
        try:
            asked = adapter.parse(request)
            pages: list[Page | PpocrError] = [PLAIN for _ in asked.files]
            assert not asked.files or adapter.render(request, asked, pages).status == 200, place
            read += 1
        except RequestError as error:
            assert error.http < 500
            refused += 1
    # PaddleX has many members that may be absent, and converts values.
    assert refused > (1 if adapter.declaration.name == "paddlex" else 5) * read
    assert read > 0 or adapter.declaration.name in NOT_LOOKED_AT


JSON_EXAMPLES = [(adapter, path) for adapter, path, body in EXAMPLES if body.content_type == "application/json"]


@pytest.mark.parametrize(("adapter", "path"), JSON_EXAMPLES, ids=lambda part: getattr(part, "path", None))
def test_a_body_of_many_values_is_refused_before_they_are_made(adapter: Adapter, path: Path) -> None:
    """Three bytes of JSON become a hundred in memory. The error's form mustn't make them either."""
    name = next(iter(json.loads(json.dumps(FULL[adapter.declaration.name]))))
    request = posted(b'{"' + name.encode() + b'":[' + b"{}," * 400_000 + b"{}]}")
    tracemalloc.start()
    try:
        with pytest.raises(RequestError) as refused:
            adapter.parse(request)
        assert adapter.render_error(request, refused.value).error is refused.value
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "place",
    [
        {"parameters": [1]},
        {"parameters": 0},
        {"parameters": ""},
        {"id": 7},
        {"outputs": {"name": "text"}},
        {"outputs": ["text"]},
        {"outputs": [{"name": 5}]},
        {"outputs": [{"name": "text", "parameters": [1]}]},
        {"outputs": [{"name": "text", "parameters": {"binary_data": "yes"}}]},
        {"parameters": {"binary_data_output": 1}},
        {"inputs": [{**FULL["v2"]["inputs"][0], "parameters": [1]}]},
        {"inputs": [{**FULL["v2"]["inputs"][0], "parameters": {"binary_data_size": True}}]},
        {"inputs": [{**FULL["v2"]["inputs"][0], "datatype": "FP32", "data": 5}]},
        {"inputs": [{**FULL["v2"]["inputs"][0], "datatype": "FP32", "data": [2**70]}]},
    ],
    ids=json.dumps,
)
def test_members_of_v2_that_are_never_passed_over(place: dict[str, Any]) -> None:
    (adapter,) = (each for each in FORMATS if each.declaration.name == "v2")
    with pytest.raises(RequestError):
        adapter.parse(posted({**FULL["v2"], **place}))


@pytest.mark.parametrize("adapter", FORMATS, ids=lambda each: each.declaration.name)
def test_an_error_is_answered_with_its_status_and_when_to_come_back(adapter: Adapter) -> None:
    answer = adapter.render_error(posted({}), Overloaded("full", retry_after=3))
    assert (answer.status, answer.headers["retry-after"]) == (429, "3")
    assert answer.error is not None


def test_the_query_of_a_raw_body_lists_every_parameter() -> None:
    (raw,) = (each for each in FORMATS if each.declaration.name == "raw")
    (path,) = raw.declaration.paths
    assert set(path.query) == set(Parameters.__dataclass_fields__)
    assert path.query["return_word_box"] == {"type": "boolean"}
    assert path.query["text_det_limit_type"] == {"type": "string", "enum": ["max", "min"]}
    assert path.query["text_det_limit_side_len"] == {"type": "integer"}
