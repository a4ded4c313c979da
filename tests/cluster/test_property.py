"""Whatever the chart renders, the API server takes, and the webhooks of KServe and of the gateway."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, Phase, given, settings

from tests.charts.values_of_a_schema import schema_of, some_values
from tests.cluster.kube import NIGHTLY, Namespace, run
from tests.cluster.release import CHART

EXAMPLES = 100 if NIGHTLY else 12
#: The cluster has no definitions of the first three (docs/kubernetes.md); a Pod is refused while its service account isn't there,
#: which a dry run doesn't make.
ELSEWHERE = ("ScaledObject", "PodMonitor", "PrometheusRule", "Pod")
BY_CHANCE = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=not NIGHTLY,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
    database=None,
)


def test_what_renders_is_taken(namespace: Namespace, tmp_path: Path) -> None:
    taken = []

    @BY_CHANCE
    @given(some_values(schema_of(CHART)))
    def look(values: dict[str, Any]) -> None:
        file = tmp_path / "values.json"
        file.write_text(json.dumps(values))
        made = namespace.helm("template", "ppocr", str(CHART), "--values", str(file), check=False)
        objects = [
            each
            for each in yaml.safe_load_all(made)
            if each
            and each["kind"] not in ELSEWHERE
            and each["metadata"].get("namespace", namespace.name) == namespace.name
        ]
        if not objects:
            return
        text = yaml.safe_dump_all(objects)
        said = run("kubectl", "-n", namespace.name, "apply", "--dry-run=server", "--filename", "-", stdin=text)
        assert len(said.splitlines()) == len(objects), f"{values}\n{said}"
        taken.append(values)

    look()
    assert len(taken) > EXAMPLES / 8, "almost everything was refused"
