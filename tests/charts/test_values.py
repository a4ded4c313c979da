"""Values: each is documented, each setting of the services can be reached, and wrong ones are refused with a reason."""

from __future__ import annotations

import dataclasses
import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from ppocr_local.service import ServeSettings
from predictor.settings import PredictorSettings
from tests.charts.programs import CHART, ROOT, RUNTIME, template
from transformer.settings import TransformerSettings

SCRIPT = runpy.run_path(str(ROOT / "scripts" / "chart_readme.py"))
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
of_each_chart = pytest.mark.parametrize("chart", [CHART, RUNTIME], ids=lambda path: path.name)


@of_each_chart
def test_readme_and_schema_are_what_the_values_say(chart: Path) -> None:
    assert (chart / "README.md").read_text() == SCRIPT["readme"](chart), "run scripts/chart_readme.py"
    assert (chart / "values.schema.json").read_text() == SCRIPT["schema"](chart), "run scripts/chart_readme.py"


def test_the_paths_are_what_the_routes_declare() -> None:
    assert (CHART / "files" / "paths.json").read_text() == SCRIPT["paths"](), "run scripts/chart_readme.py"


@of_each_chart
def test_each_value_has_a_sentence(chart: Path) -> None:
    values = SCRIPT["values"](chart)
    short = [".".join(value.path) for value in values if len(value.text) < 10 or value.text[-1] not in ".):`"]
    assert short == []


@of_each_chart
def test_each_value_is_used(chart: Path) -> None:
    templates = "".join(path.read_text() for path in (chart / "templates").rglob("*") if path.is_file())
    unused = [
        ".".join(value.path)
        for value in SCRIPT["values"](chart)
        if not re.search(rf'[."]{re.escape(value.path[-1])}\b', templates)
    ]
    assert unused == []


def test_a_value_without_a_comment_is_noticed(tmp_path: Any) -> None:
    (tmp_path / "values.yaml").write_text("a:\n  # -- Something.\n  b: 1\n  c: 2\n")
    with pytest.raises(ValueError, match=r"a\.c has no comment"):
        SCRIPT["values"](tmp_path)


@pytest.mark.parametrize(("part", "settings"), [("transformer", TransformerSettings), ("predictor", PredictorSettings)])
def test_each_setting_can_be_reached(part: str, settings: type[Any]) -> None:
    names = {field.name for field in dataclasses.fields(settings)}
    typed = SCHEMA["$defs"][f"{part}Settings"]["properties"].keys()
    assert names == typed | (SCRIPT["OWNED"].keys() & names)


def test_no_object_takes_what_it_does_not_know() -> None:
    """Maps whose keys are free (labels, selectors, Kubernetes' own types) say so by what their values are."""
    open_: list[str] = []

    def walk(schema: Any, path: str) -> None:
        if isinstance(schema, dict):
            if "properties" in schema and isinstance(schema["properties"], dict) and "type" in schema:
                closed = schema.get("additionalProperties") is False or "required" in schema
                if not closed:
                    open_.append(path)
            for key, inner in schema.items():
                walk(inner, f"{path}/{key}")

    walk(SCHEMA, "")
    assert open_ == []


WRONG = [
    ("replica=2", "'replica' not allowed"),
    ("transformer.replicas=two", "'/transformer/replicas': got string, want integer"),
    (
        "transformer.autoscaling.minReplica=2",
        "'/transformer/autoscaling': additional properties 'minReplica' not allowed",
    ),
    ("transformer.autoscaling.metric=queuePixels", "'metric' not allowed"),
    ("predictor.autoscaling.kind=vpa", "'/predictor/autoscaling/kind': value must be one of 'none', 'hpa', 'keda'"),
    ("predictor.gpu=true", "'/predictor/gpu': got boolean, want object"),
    ("gpu.enabled=true", "'gpu' not allowed"),
    ("predictor.gpu.count=2", "'/predictor/gpu': additional properties 'count' not allowed"),
    ("predictor.tmpSize=lots", "'/predictor/tmpSize': 'lots' does not match pattern"),
    ("transformer.pdb.maxUnavailable=foo", "'foo' does not match pattern"),
    ("transformer.pdb.maxUnavailable=101%", "'101%' does not match pattern"),
    ("gateway.publish={secrets}", "value must be one of 'reading', 'health'"),
    ("gateway.envoyGateway=yes", "'/gateway/envoyGateway': value must be one of"),
    ("predictor.settings.engine=tensorflow", "'/predictor/settings/engine': value must be one of"),
    ("predictor.settings.max_images=3", "'max_images' not allowed"),
    ("transformer.settings.maxImages=3", "'maxImages' not allowed"),
    ("transformer.settings.max_images=many", "got string, want integer"),
    ("transformer.settings.http_port=9000", "'http_port' not allowed"),
    ("settings.engine=openvino", "'/settings': additional properties 'engine' not allowed"),
    ("mode=together", "'/mode': value must be one of 'separate', 'collocated'"),
    ("model.source=s3", "'/model/source': value must be one of 'builtIn', 'storageUri', 'pvc'"),
    ("canary.weight=101", "'/canary/weight': maximum: got 101, want 100"),
    ("canary.predictor.image.tagg=2", "'/canary/predictor/image': additional properties 'tagg' not allowed"),
    ("transformer.image.digest=abc", "does not match pattern"),
    ("transformer.resources.limit.cpu=1", "'limit' not allowed"),
    ("predictor.resources.limits.memory=3GB", "does not match pattern"),
    ("podSecurityContext.runAsRoot=true", "'runAsRoot' not allowed"),
    ("securityContext.capabilities.dropp=x", "'dropp' not allowed"),
    ("transformer.livenessProbe.httpGet.path=/", "'httpGet' not allowed"),
    ("transformer.updateStrategy.type=Blue", "value must be one of 'RollingUpdate', 'Recreate'"),
    ("monitoring.serviceMonitor.enabled=true", "'serviceMonitor' not allowed"),
    ("gateway.hostname=x", "'hostname' not allowed"),
]


@pytest.mark.parametrize(("value", "reason"), WRONG, ids=[value for value, _ in WRONG])
def test_a_wrong_value_is_refused(value: str, reason: str) -> None:
    made = template("--set", value)
    assert made.returncode != 0
    assert reason in made.stderr


def test_a_parent_charts_globals_are_let_in() -> None:
    assert template("--set", "global.imageRegistry=x").returncode == 0


def test_the_runtimes_settings_can_be_reached() -> None:
    names = {field.name for field in dataclasses.fields(ServeSettings)}
    schema = json.loads((RUNTIME / "values.schema.json").read_text())
    typed = schema["$defs"]["runtimeSettings"]["properties"].keys()
    assert names == typed | (SCRIPT["OWNED"].keys() & names) | SCRIPT["NOT_OF_A_RUNTIME"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("settings.host=0.0.0.0", "'host' not allowed"),
        ("name=Ppocr", "does not match pattern"),
        ("scope=node", "value must be one of 'cluster', 'namespace'"),
        ("gpu.count=2", "'count' not allowed"),
    ],
)
def test_a_wrong_value_of_the_runtime_is_refused(value: str, reason: str) -> None:
    made = template("--set", value, chart=RUNTIME)
    assert made.returncode != 0
    assert reason in made.stderr
