"""The documentation is complete: every setting, metric and parameter has its line, and links lead somewhere."""

from __future__ import annotations

import dataclasses
import re
import runpy
from pathlib import Path

import httpx
import pytest

from ppocr import telemetry
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


def test_every_stage_is_documented() -> None:
    text = (DOCS / "metrics.md").read_text()
    source = "".join(
        path.read_text() for folder in ("transformer", "predictor") for path in (ROOT / folder).rglob("*.py")
    )
    stages = set(re.findall(r'stage\("(\w+)"\)|STAGE_SECONDS\.labels\("(\w+)"\)', source))
    assert len(stages) == 8
    assert [name for pair in stages for name in pair if name and f"`{name}`" not in text] == []
    assert telemetry.STAGE_SECONDS is not None


def test_every_parameter_has_its_line() -> None:
    text = (DOCS / "api.md").read_text()
    assert [field.name for field in dataclasses.fields(Parameters) if f"| `{field.name}` |" not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_repository_names_no_machine_and_no_registry() -> None:
    pattern = re.compile(r"pypi\.org|pythonhosted|/root/|/home/\w|file:///w|repo\.maven|registry\.npmjs")
    folders = ("ppocr", "predictor", "transformer", "bench", "docs", "scripts", "requirements")
    files = [
        path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".md", ".txt", "")
    ]
    named = [
        str(path) for path in files if path.is_file() and ".peers" not in path.parts and pattern.search(_text(path))
    ]
    assert named == []


def _text(path: Path) -> str:
    return path.read_text(errors="replace")
