"""The documentation is complete: every setting, metric and parameter has its line, and links lead somewhere."""

from __future__ import annotations

import dataclasses
import re
import runpy
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.services import Service
from transformer.parameters import Parameters

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(
    [
        *DOCS.glob("*.md"),
        ROOT / "README.md",
        ROOT / "clients" / "python" / "README.md",
        *ROOT.glob("bench/*.md"),
        *ROOT.glob("tests/data/*.md"),
    ]
)


def test_the_settings_page_is_what_the_settings_say() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "settings_doc.py"))
    assert (DOCS / "settings.md").read_text() == script["page"](), "run scripts/settings_doc.py"


def test_every_metric_has_its_line(service: Service) -> None:
    text = (DOCS / "metrics.md").read_text()
    exported = httpx.get(f"{service.url}/metrics").text
    names = set(re.findall(r"^# TYPE (ppocr_\w+) ", exported, re.MULTILINE))
    names = {name for name in names if not name.endswith("_created")}
    assert len(names) >= 12
    assert [name for name in sorted(names) if f"`{name}`" not in text] == []
    documented = set(re.findall(r"^\| `(ppocr_\w+)`", text, re.MULTILINE))
    assert documented <= names, "a documented metric is not exported"


def test_every_stage_is_documented(service: Service, receipt: bytes) -> None:
    row = re.search(r"^\| `ppocr_stage_seconds` \| stage \|(.*)", (DOCS / "metrics.md").read_text(), re.MULTILINE)
    assert row is not None
    documented = set(re.findall(r"`(\w+)`", row[1]))
    source = "".join(path.read_text() for room in ("transformer", "predictor") for path in (ROOT / room).rglob("*.py"))
    called = r'(?:\bstage\(|STAGE_SECONDS\.labels\(|\.ask\(\w+, [A-Z_]+, )"(\w+)"'
    assert set(re.findall(called, source)) == documented
    predict, jpeg = f"{service.url}/v1/models/ppocr:predict", {"content-type": "image/jpeg"}
    assert httpx.post(predict, content=receipt, headers=jpeg, timeout=60).status_code == 200
    exported = httpx.get(f"{service.url}/metrics").text
    measured = set(re.findall(r'^ppocr_stage_seconds_count\{stage="(\w+)"\}', exported, re.MULTILINE))
    assert {"decode", "det", "rec"} <= measured <= documented


def test_every_parameter_has_its_line() -> None:
    text = (DOCS / "api.md").read_text()
    assert [field.name for field in dataclasses.fields(Parameters) if f"| `{field.name}` |" not in text] == []


def test_every_fault_names_tests_that_exist_and_a_figure() -> None:
    text = (DOCS / "security.md").read_text()
    rows = re.findall(r"^\| (\d+) \| [^|]+ \| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE)
    assert [int(number) for number, _, _ in rows] == list(range(1, 24))
    assert all("::test_" in tests and figure.strip() for _, tests, figure in rows)
    for name, test in re.findall(r"(tests/[\w/]+\.py)(?:::(\w+))?", text):
        source = (ROOT / name).read_text()
        assert not test or re.search(rf"^\s*(async )?def {test}\(", source, re.MULTILINE), f"{name}::{test}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_repository_names_no_machine_and_no_registry() -> None:
    """In no file that git knows or would take in. The brackets keep the pattern from finding itself."""
    pattern = re.compile(r"pypi\.org|python[h]osted|/roo[t]/|/wor[k]/|/home/\w|file:[/]//w|repo\.maven|registry\.npmjs")
    listed = subprocess.check_output(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT)
    files = [path for name in listed.decode().split("\0") if name and (path := ROOT / name).is_file()]
    rooms = {path.relative_to(ROOT).parts[0] for path in files}
    assert {"ppocr", "ppocr_convert", "clients", "loadtest", "tests", "charts", "k8s", ".ci", "README.md"} <= rooms
    found = {str(path.relative_to(ROOT)): pattern.findall(path.read_text(errors="replace")) for path in files}
    assert {name: words for name, words in found.items() if words} == {}
