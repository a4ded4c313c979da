"""Triton's Python client, unchanged: compression, the stream, configuration, statistics, index, and what isn't there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.first_contact.conftest import IMAGE
from tests.services import Service


@pytest.fixture(scope="module")
def said(service: Service) -> Any:
    """In a process of its own: its protobuf file and KServe's can't live in one."""
    program = Path(__file__).with_name("triton_tools.py")
    command = [sys.executable, str(program), service.url.removeprefix("http://"), service.grpc, str(IMAGE)]
    run = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.parametrize("way", ["gzip", "deflate"])
def test_compressed_requests_and_answers(said: Any, lines: list[str], way: str) -> None:
    assert said[way] == lines


def test_the_stream(said: Any, lines: list[str]) -> None:
    first, second, third = said["stream"]
    assert (first, third) == (["0", len(lines)], ["2", len(lines)])
    assert "image 0: not an image" in second


def test_metadata_says_the_same_over_both_and_lists_what_is_there(said: Any) -> None:
    for protocol in ("http", "grpc"):
        server, model = said[protocol]["server"], said[protocol]["metadata"]
        assert server["extensions"] == ["binary_tensor_data", "parameters", "model_configuration", "statistics"]
        assert (model["platform"], model["versions"]) == ("ppocr", ["1"])
        assert [tensor["name"] for tensor in model["inputs"]] == ["image"]


def test_configuration(said: Any) -> None:
    plain, typed = said["http"]["config"], said["grpc"]["config"]["config"]
    assert plain["input"] == [{"name": "image", "data_type": "TYPE_STRING", "dims": [-1]}]
    assert plain["max_batch_size"] == 0
    assert [output["name"] for output in plain["output"]] == [output["name"] for output in typed["output"]]
    assert typed["input"] == [{"name": "image", "data_type": "TYPE_STRING", "dims": ["-1"]}]


def test_statistics_are_those_of_the_service(said: Any) -> None:
    (plain,), (typed,) = said["http"]["statistics"]["model_stats"], said["grpc"]["statistics"]["model_stats"]
    assert said["http"]["all statistics"]["model_stats"][0]["name"] == "ppocr"
    assert (plain["name"], plain["version"]) == (typed["name"], typed["version"]) == ("ppocr", "1")
    counted = plain["inference_stats"]
    # Two compressed requests and two of the stream were read; one of the stream was no image.
    assert counted["success"]["count"] >= 4
    assert counted["fail"]["count"] >= 1
    assert plain["execution_count"] == counted["success"]["count"]
    for part in ("compute_input", "compute_infer", "compute_output"):
        assert counted[part]["count"] >= counted["success"]["count"]
        assert counted[part]["ns"] > 0
    assert counted["success"]["ns"] > 0
    assert int(typed["inference_stats"]["success"]["count"]) == counted["success"]["count"]
    assert plain["last_inference"] > 1.7e12


def test_the_index(said: Any) -> None:
    ready = {"name": "ppocr", "version": "1", "state": "READY"}
    assert [{key: each[key] for key in ready} for each in said["http"]["index"]] == [ready]
    assert [{key: each[key] for key in ready} for each in said["grpc"]["index"]["models"]] == [ready]


def test_what_is_not_there_is_named(said: Any) -> None:
    for protocol, status in (("http absent", "404"), ("grpc absent", "StatusCode.UNIMPLEMENTED")):
        assert len(said[protocol]) == 4
        for name, (code, sentence) in said[protocol].items():
            assert code == status, (protocol, name)
            assert "isn't there" in sentence or "can't be changed" in sentence, (protocol, name)
