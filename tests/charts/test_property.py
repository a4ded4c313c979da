"""Whatever values the schema allows: the chart refuses them with a sentence, or makes objects that Kubernetes' schemas take."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.charts.programs import CHART, RUNTIME, template
from tests.charts.test_chart import VERSIONS, check, schemas
from tests.charts.values_of_a_schema import schema_of, some_values

__all__ = ["schemas"]  # a fixture
#: By day as many as take some seconds.
EXAMPLES = 400 if os.environ.get("PPOCR_NIGHTLY") else 8
#: How a refusal looks: sentences of the chart's own, or of the schema.
REFUSED = re.compile(
    r"\n  - [\w.`]+|values don't meet the specifications|execution error at \(\S+\): [a-zA-Z]+[.\w]*:? "
)
BY_CHANCE = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=not os.environ.get("PPOCR_NIGHTLY"),
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
    database=None,
)


@pytest.mark.parametrize("chart", [CHART, RUNTIME], ids=lambda path: path.name)
def test_what_renders_is_valid_and_what_does_not_says_why(chart: Path, schemas: Path, tmp_path: Path) -> None:
    tried = []

    @BY_CHANCE
    @given(some_values(schema_of(chart)))
    def look(values: dict[str, Any]) -> None:
        file = tmp_path / "values.json"
        file.write_text(json.dumps(values))
        made = template("--values", file, chart=chart)
        if made.returncode:
            assert REFUSED.search(made.stderr), f"{values}\n{made.stderr}"
            return
        rendered = tmp_path / f"{len(tried)}.yaml"
        rendered.write_text(made.stdout)
        tried.append(rendered)

    look()
    assert len(tried) > EXAMPLES / 8, "almost everything was refused"
    problems, objects = check(schemas, VERSIONS[-1], tried)
    assert problems == ""
    assert objects >= len(tried)


#: Names that YAML takes for numbers and truth values where they aren't quoted: Kubernetes allows them.
@pytest.mark.parametrize("name", ["0", "1e3", "true", "null"])
@pytest.mark.parametrize("mode", ["separate", "plain"])
def test_names_stay_text(schemas: Path, tmp_path: Path, mode: str, name: str) -> None:
    part = {"priorityClassName": name, "runtimeClassName": name, "schedulerName": name}
    values = {
        "mode": mode,
        "fullnameOverride": "ppocr",
        "nameOverride": name if name.isalpha() else "",
        "serviceAccount": {"name": name},
        "imagePullSecrets": [{"name": name}],
        "access": {"apiKeysSecret": name, "predictorTlsSecret": name},
        "verify": {"caSecret": name},
        "model": {"source": "pvc", "pvc": {"claimName": name}},
        "transformer": part,
        "predictor": part,
    }
    (tmp_path / "values.json").write_text(json.dumps(values))
    made = template("--values", tmp_path / "values.json")
    assert made.returncode == 0, made.stderr
    (tmp_path / "made.yaml").write_text(made.stdout)
    problems, _ = check(schemas, VERSIONS[-1], [tmp_path / "made.yaml"])
    assert problems == ""
