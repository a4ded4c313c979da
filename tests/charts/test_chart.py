"""The charts are clean: lint, its own unit tests, and the schemas of Kubernetes and of the resources that it uses."""

from __future__ import annotations

import json
import lzma
import re
from pathlib import Path

import pytest
import yaml

from tests.charts.programs import CHART, ROOT, RUNTIME, VALUE_FILES, chart_of, run, template

SCHEMAS = Path(__file__).parent / "schemas"
VERSIONS = ("1.29.0", "1.30.0", "1.31.0", "1.32.0", "1.33.0", "1.34.0")


@pytest.fixture(scope="session")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of schemas as kubeconform looks them up."""
    folder = tmp_path_factory.mktemp("schemas")
    for packed in SCHEMAS.glob("*.json.xz"):
        for name, schema in json.loads(lzma.decompress(packed.read_bytes()))["files"].items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(schema))
    return folder


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """What the charts make of each file of values."""
    folder = tmp_path_factory.mktemp("made")
    for values in VALUE_FILES:
        chart = chart_of(values)
        done = template("--values", values, chart=chart)
        assert done.returncode == 0, done.stderr
        (folder / f"{chart.name}-{values.name}").write_text(done.stdout)
    return sorted(folder.iterdir())


def check(schemas: Path, version: str, files: list[Path]) -> tuple[str, int]:
    """What kubeconform says, and how many objects it found valid."""
    done = run(
        "kubeconform",
        "-strict",
        "-summary",
        "-kubernetes-version",
        version,
        "-schema-location",
        f"{schemas}/{{{{.NormalizedKubernetesVersion}}}}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json",
        "-schema-location",
        f"{schemas}/{{{{.Group}}}}/{{{{.ResourceKind}}}}_{{{{.ResourceAPIVersion}}}}.json",
        *files,
    )
    found = re.search(r"Valid: (\d+)", done.stdout)
    return (done.stdout if done.returncode else ""), int(found.group(1)) if found else 0


@pytest.mark.parametrize("values", VALUE_FILES, ids=lambda path: f"{chart_of(path).name}-{path.stem}")
def test_lint(values: Path) -> None:
    done = run("helm", "lint", "--strict", chart_of(values), "--values", values)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("chart", [CHART, RUNTIME], ids=lambda path: path.name)
def test_the_charts_own_tests(chart: Path) -> None:
    done = run("helm-unittest", chart)
    assert done.returncode == 0, done.stdout[-4000:]
    assert re.search(r"Tests: +(\d+) passed", done.stdout), "no test ran"


@pytest.mark.parametrize(("chart", "templates"), [(CHART, 15), (RUNTIME, 3)], ids=lambda it: getattr(it, "name", ""))
def test_each_template_has_its_tests(chart: Path, templates: int) -> None:
    suites = "".join(path.read_text() for path in (chart / "tests").glob("*_test.yaml"))
    folder = chart / "templates"
    names = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.suffix in (".yaml", ".txt")]
    assert len(names) >= templates
    assert [name for name in names if name not in suites] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_what_it_makes_is_valid(schemas: Path, made: list[Path], version: str) -> None:
    problems, objects = check(schemas, version, made)
    assert problems == ""
    assert objects == sum(len(re.findall("^kind: ", path.read_text(), re.MULTILINE)) for path in made) > 100


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("InferenceService", ("enableServiceLinks: false", "enableServiceLink: false")),
        ("InferenceService", ("minReplicas: 1", "minReplicas: one")),
        ("HTTPRoute", ("backendRefs:", "backendRef:")),
        ("NetworkPolicy", ("policyTypes: [Ingress, Egress]", "policyTypes: Ingress")),
        ("Pod", ("restartPolicy: Never", "restart: Never")),
        ("ScaledObject", ("failureThreshold: 3", "failureThreshold: three")),
    ],
)
def test_what_is_wrong_is_found(
    schemas: Path, made: list[Path], tmp_path: Path, kind: str, wrong: tuple[str, str]
) -> None:
    values = "keda" if kind == "ScaledObject" else "default"
    right = next(path for path in made if path.name == f"ppocr-{values}-values.yaml").read_text()
    assert wrong[0] in right
    (tmp_path / "wrong.yaml").write_text(right.replace(*wrong))
    problems, _ = check(schemas, VERSIONS[-1], [tmp_path / "wrong.yaml"])
    assert f"{kind} ppocr" in problems


def test_it_refuses_an_old_kubernetes() -> None:
    made = template("--kube-version", "1.28.0")
    assert made.returncode != 0
    assert "incompatible with Kubernetes v1.28.0" in made.stderr


@pytest.mark.parametrize("folder", [CHART, RUNTIME], ids=lambda path: path.name)
def test_the_versions_are_those_of_the_package(folder: Path) -> None:
    chart = yaml.safe_load((folder / "Chart.yaml").read_text())
    version = re.search(r'__version__ = "(.*)"', (ROOT / "ppocr" / "__init__.py").read_text())
    assert version is not None
    assert (chart["version"], chart["appVersion"]) == (version.group(1), version.group(1))


def test_metrics_of_dashboard_and_alerts_exist() -> None:
    documented = set(re.findall(r"^\| `(ppocr_\w+)`", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE))
    dashboard = json.loads((CHART / "dashboards" / "ppocr.json").read_text())
    used = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    used.append((CHART / "templates" / "_alerts.tpl").read_text())
    used.append((CHART / "templates" / "scaledobject.yaml").read_text())
    names = set(re.findall(r"ppocr_\w+", "\n".join(used)))
    assert len(names) >= 10
    assert {re.sub(r"_(sum|count|bucket)$", "", name) for name in names} <= documented
