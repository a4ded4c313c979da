"""inference.yml, dictionaries, and what PaddleServing left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import v4_models
from ppocr.contract import Normalisation
from ppocr_api.errors import BundleError
from ppocr_convert import characters, description, serving
from ppocr_convert.normalisations import IMAGENET_RGB
from ppocr_convert.paddle_format.program import Program

LISTED = """
PreProcess:
  transform_ops:
  - DecodeImage: {channel_first: false, img_mode: RGB}
  - DetResizeForTest: {limit_side_len: 736, limit_type: min}
  - NormalizeImage: {mean: [0.5, 0.4, 0.3], std: [0.2, 0.2, 0.2], scale: 1./255., order: hwc}
  - ToCHWImage: null
  - KeepKeys: {keep_keys: [image]}
PostProcess: {name: DBPostProcess, thresh: 0.25, box_thresh: 0.5, max_candidates: 500, unclip_ratio: 1.6}
"""
CHARACTERS = """
Global: {model_name: my_rec}
PreProcess:
  transform_ops:
  - RecResizeImg: {image_shape: [3, 32, 320]}
PostProcess:
  name: CTCLabelDecode
  character_dict: ['0', 1, no, ~, null, "'", '"', é, 𠀀, "\\u2028", '\\', ':']
"""
PIPELINE = """
rpc_port: 18091
http_port: 9998
worker_num: 10
build_dag_each_worker: False
dag: {is_thread_op: False, retry: 10, use_profile: True, tracer: {interval_s: 10}}
op:
  det:
    concurrency: 8
    local_service_conf:
      {client_type: local_predictor, model_config: ./det_serving, fetch_list: [sigmoid_0.tmp_0], device_type: 1,
       devices: '1,2', ir_optim: True, precision: fp16}
  rec:
    concurrency: 4
    timeout: -1
    retry: 1
    local_service_conf: {model_config: /models/rec_serving, device_type: 1, devices: '1', thread_num: 6, colour: red}
"""


def test_what_an_inference_yml_says() -> None:
    found = description.read(LISTED.encode(), "inference.yml")
    assert found.normalisation == Normalisation("RGB", (0.5, 0.4, 0.3), (0.2, 0.2, 0.2))
    assert found.detection == {
        **{"limit_side_len": 736, "limit_type": "min"},
        **{"thresh": 0.25, "box_thresh": 0.5, "unclip_ratio": 1.6, "max_candidates": 500},
    }
    assert (found.model, found.characters, found.height) == ("", (), None)
    found = description.read(json.dumps(v4_models.det()).encode(), "inference.yml")
    assert (found.detection["limit_side_len"], found.detection["limit_type"]) == (960, "max")


def test_characters_stay_what_they_are() -> None:
    """YAML takes some of them for numbers, truths and nothing."""
    found = description.read(CHARACTERS.encode(), "inference.yml")
    expected = ("0", "1", "no", "~", "null", "'", '"', "é", "𠀀", "\u2028", "\\", ":")
    assert (found.model, found.height, found.characters) == ("my_rec", 32, expected)


def classification(*steps: str) -> bytes:
    """inference.yml of a classification network of PaddleX."""
    more = "NormalizeImage: {channel_num: 3, mean: [0.485, 0.456, 0.406], order: '', scale: 0.00392156862745098"
    text = f"""
PreProcess: {{transform_ops: [{", ".join(f"{{{step}}}" for step in steps)}, {{{more}, std: [0.229, 0.224, 0.225]}}}}]}}
PostProcess: {{Topk: {{topk: 1, label_list: [0_degree, 180_degree]}}}}
"""
    return text.encode()


def test_an_orientation_network_of_lines() -> None:
    found = description.read(classification("ResizeImage: {size: [160, 80]}"), "inference.yml")
    assert (found.size, found.short_side, found.crop) == ((80, 160), None, None)
    assert found.labels == ("0_degree", "180_degree")
    assert found.normalisation == IMAGENET_RGB, "PaddleX reads RGB where nothing else is said"


def test_an_orientation_network_of_pages() -> None:
    steps = classification("ResizeImage: {resize_short: 256}", "CropImage: {size: 224}")
    found = description.read(steps, "inference.yml")
    assert (found.size, found.short_side, found.crop) == (None, 256, (224, 224))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [", "is not YAML"),
        ("just a text", "is not a PP-OCR network's inference.yml"),
        ("PostProcess: {name: DBPostProcess, thresh: high}", "could not convert string to float"),
        ("PostProcess: {name: DBPostProcess, thresh: 30}", "thresh is 30.0; a probability"),
        ("PreProcess: {transform_ops: [{NormalizeImage: {mean: [1], std: [1]}}]}", "three means"),
        ("PreProcess: {transform_ops: [{NormalizeImage: {scale: 1, mean: [1,1,1], std: [1,1,1]}}]}", "the scale 1;"),
    ],
)
def test_a_wrong_inference_yml(text: str, says: str) -> None:
    with pytest.raises(BundleError, match=says):
        description.read(text.encode(), "inference.yml")


def test_a_dictionary_file() -> None:
    assert characters.from_file("a\r\nb\r\n\u2028\n".encode(), "d") == ("a", "b", "\u2028")
    assert characters.from_file("\ufeffa\nb".encode(), "d") == ("a", "b")
    assert characters.from_file(b"", "d") == ()
    with pytest.raises(BundleError, match=r"the dictionary d is not UTF-8 \(byte 2\)"):
        characters.from_file(b"a\n\xff\n", "d")


def test_the_number_of_classes_says_whether_there_is_a_space() -> None:
    assert characters.with_blank(("a", "b"), 3, "it") == ["", "a", "b"]
    assert characters.with_blank(("a", "b"), 4, "it") == ["", "a", "b", " "]
    for classes in (2, 5):
        with pytest.raises(BundleError, match=rf"it has 2 characters and the recognition network {classes} classes"):
            characters.with_blank(("a", "b"), classes, "it")


def test_serving_conf_of_another_network() -> None:
    program = Program((), {}, {}, {"x": (-1, 3, -1, -1)}, ("y",))
    serving.check(b'feed_var {\n name: "x"\n shape: 3\n shape: 48\n shape: 320\n}', program)
    serving.check(b"", program)
    with pytest.raises(BundleError, match=r"describes 1 inputs of the shape \[1, 32, 100\]"):
        serving.check(b'feed_var {\n name: "x"\n shape: 1\n shape: 32\n shape: 100\n}', program)


def test_a_pdserving_configuration() -> None:
    found = serving.pipeline(PIPELINE.encode(), Path("there"))
    assert found.settings == {
        **{"grpc_port": "18091", "http_port": "9998"},
        **{"tracer": "PipelineServingLogs/pipeline.tracer", "tracer_seconds": "10"},
        **{"device": "gpu", "device_id": "1", "precision": "f16", "threads": "6"},
    }
    assert found.models == {"det": Path("there/det_serving"), "rec": Path("/models/rec_serving")}
    assert set(found.ignored) == {
        *("worker_num", "build_dag_each_worker", "dag.is_thread_op", "dag.retry", "dag.use_profile"),
        *("op.det.concurrency", "op.rec.concurrency"),
        *(f"op.det.local_service_conf.{name}" for name in ("client_type", "fetch_list", "devices", "ir_optim")),
        *("op.rec.timeout", "op.rec.retry", "op.rec.local_service_conf.colour"),
    }
    assert found.ignored["op.rec.local_service_conf.colour"] == "unknown here"


def test_a_pipeline_of_one_network_its_timeout_and_metrics() -> None:
    text = """
dag: {enable_prometheus: true, prometheus_port: 19393, tracer: {interval_s: -1}}
op: {rec: {timeout: 3000}}
"""
    found = serving.pipeline(text.encode(), Path())
    assert found.settings == {"pdserving_answer": "rec", "pdserving_metrics": "true", "request_timeout_seconds": "3.0"}
    assert set(found.ignored) == {"dag.prometheus_port", "dag.tracer.interval_s"}


@pytest.mark.parametrize("text", ["a: [", "[]", "op: 3", "http_port: 1"])
def test_what_is_no_pdserving_configuration(text: str) -> None:
    with pytest.raises(BundleError, match="the pdserving configuration"):
        serving.pipeline(text.encode(), Path())
