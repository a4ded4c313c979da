"""Our V2 messages say on the wire what those of KServe and Triton say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ppocr_api import oip

ROOT = Path(__file__).parents[2]
GENERATED = ("open_inference_pb2.py", "open_inference_pb2.pyi")


def request() -> Any:
    message = oip.ModelInferRequest(model_name="rec", model_version="2", id="a")
    message.parameters["text_rec_score_thresh"].CopyFrom(oip.parameter(0.5))
    message.parameters["return_word_box"].CopyFrom(oip.parameter(True))
    message.inputs.add(name="pixels", datatype="UINT8", shape=[6]).parameters["n"].int64_param = 3
    message.inputs.add(name="widths", datatype="INT32", shape=[2]).contents.int_contents.extend([64, 96])
    message.outputs.add(name="ids")
    message.raw_input_contents.extend([b"\x00\x01", b"\xff"])
    return message


@pytest.mark.parametrize("module", ["kserve.protocol.grpc.grpc_predict_v2_pb2", "tritonclient.grpc.service_pb2"])
def test_every_field_arrives_in_the_other_implementation(module: str) -> None:
    """In a process of its own: KServe's and Triton's files can't both be in the default pool, ours can beside either."""
    program = f"""
import sys
import {module} as theirs
from google.protobuf.json_format import MessageToDict
from ppocr_api import oip
ours = oip.ModelInferRequest.FromString(sys.stdin.buffer.read())
other = theirs.ModelInferRequest.FromString(ours.SerializeToString())
assert MessageToDict(other) == MessageToDict(ours), other
assert oip.ModelInferRequest.FromString(other.SerializeToString()) == ours
for name, (ask, answer) in oip.METHODS.items():
    if name.startswith("Repository") and "kserve" in theirs.__name__:
        continue  # KServe numbers these its own way, and has no index
    for mine in (ask, answer):
        if "kserve" in theirs.__name__ and not hasattr(theirs, mine.DESCRIPTOR.name):
            continue  # of Triton alone
        fields = {{f.name: f.number for f in getattr(theirs, mine.DESCRIPTOR.name).DESCRIPTOR.fields}}
        got = {{f.name: f.number for f in mine.DESCRIPTOR.fields if f.name != "parameters" or f.name in fields}}
        assert got == fields, (mine.DESCRIPTOR.name, got, fields)
"""
    subprocess.run([sys.executable, "-c", program], input=request().SerializeToString(), check=True, timeout=60)


def test_metadata_carries_parameters() -> None:
    message = oip.ModelMetadataResponse(name="det", versions=["1"], platform="ppocr")
    message.parameters["ppocr.facts"].string_param = "{}"
    read = oip.ModelMetadataResponse.FromString(message.SerializeToString())
    assert read.parameters["ppocr.facts"].string_param == "{}"
    assert b"2\x13" in message.SerializeToString(), "field 6, as MLServer numbers it"


@pytest.mark.parametrize("items", [[], [b""], [b"a", b"", b"\x00" * 300]])
def test_bytes_tensors_round_trip(items: list[bytes]) -> None:
    assert oip.unpack_bytes(oip.pack_bytes(items)) == items


@pytest.mark.parametrize("raw", [b"\x01", b"\x02\x00\x00\x00a", b"\xff\xff\xff\xff"])
def test_bytes_tensors_that_lie_are_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match="BYTES tensor"):
        oip.unpack_bytes(raw)


def test_a_float_parameter_travels_as_text() -> None:
    assert oip.parameter(0.25).string_param == "0.25"
    assert oip.parameter(3).int64_param == 3
    assert oip.parameter(False).WhichOneof("parameter_choice") == "bool_param"


def test_generated_code_is_up_to_date(tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHON": sys.executable}
    subprocess.run([ROOT / "scripts" / "generate_protobuf", tmp_path], env=environ, check=True, timeout=60)
    for name in GENERATED:
        written = (tmp_path / "ppocr_api" / name).read_text()
        assert written == (ROOT / "clients" / "python" / "ppocr_api" / name).read_text(), (
            f"{name} is older than open_inference.proto: run scripts/generate_protobuf"
        )
