"""Every recorded HTTP exchange, replayed: answered alike, or listed in on_purpose.txt with a reason.

On the port of a format's own, and on the service's port, which answers all formats together. Some were recorded with another
configuration of the retired server, and are replayed on a service that has it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.services import all_in_one
from tests.wire_formats.conftest import Front

HERE = Path(__file__).parent
#: File of exchanges → the setting of the port that its clients ask.
FILES = {
    "pipeline_http.jsonl": "pdserving_port",
    "web_service.jsonl": "web_service_port",
    "hubserving.jsonl": "hubserving_ports",
    "paddlex.jsonl": "paddlex_port",
}
#: Recorded with another configuration: what case names begin with → the flags that have it here.
VARIANTS = {
    "variant_old/": ("--pdserving_answer", "res"),
    "variant_det/": ("--pdserving_answer", "det"),
    "variant_rec/": ("--pdserving_answer", "rec"),
    "variant_slow": ("--request_timeout_seconds", "0.02"),
    "variant_rec_timeout/full_page": ("--request_timeout_seconds", "0.02"),
}
#: Of another port of the pipeline's own, for metrics, which here are on the service's port.
METRICS = "prometheus/"
#: Sections of on_purpose.txt beside those of the files.
EVERYWHERE = "everywhere"
SHARED = "on the service's port, where all formats are"
CONFIGURED = "with another configuration of the service, which tests/wire_formats/test_replay.py starts"
DIFFERS_THERE_TOO = "with another configuration, where it differs as well"


def on_purpose() -> dict[str, dict[str, str]]:
    """The sections of on_purpose.txt."""
    sections: dict[str, dict[str, str]] = {}
    for line in (HERE / "on_purpose.txt").read_text().splitlines():
        if line.startswith("# "):
            section = sections.setdefault(line.removeprefix("# "), {})
        elif line:
            name, _, reason = line.partition(": ")
            another = re.match(r"as ([\w/]+)[.,;]", reason)
            known = {each for listed in sections.values() for each in listed}
            assert another[1] in known if another else len(reason) > 20, f"{name} has no reason"
            assert name not in section, f"{name} is listed twice"
            section[name] = reason
    return sections


def replayed(
    cases: Path, file: str, url: str, allowed: set[str], scratch: Path, wanted: Callable[[str], bool]
) -> tuple[int, set[str]]:
    """How many cases are answered alike, and the names of those that aren't, all of which must be `allowed`."""
    lines = (cases / file).read_text("utf8").split("\n")
    chosen = scratch / file
    chosen.write_text("\n".join(line for line in filter(None, lines) if wanted(json.loads(line)["name"])), "utf8")
    command = [sys.executable, cases / "replay.py", chosen, url]
    run = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    counts = re.search(r"(\d+) same, (\d+) different", run.stdout)
    assert counts, run.stdout + run.stderr
    # A case that was recorded with two releases of the server has one name.
    different = [(line.partition(": ")[0], line) for line in run.stdout.splitlines()[:-1]]
    assert len(different) == int(counts[2])
    assert [line for name, line in different if name not in allowed] == []
    return int(counts[1]), {name for name, _ in different}


def of_its_port(name: str) -> bool:
    """Whether a case was recorded with that configuration, at the port that the format's clients ask."""
    return usual(name) and not name.startswith(METRICS)


def usual(name: str) -> bool:
    """Whether a case was recorded with the configuration that PaddleOCR publishes."""
    return not name.startswith(tuple(VARIANTS))


@pytest.mark.parametrize("file", FILES)
def test_on_a_port_of_its_own_a_format_is_answered_as_recorded(
    front: Front, cases: Path, tmp_path: Path, file: str
) -> None:
    sections = on_purpose()
    listed = set(sections.get(file, {}))
    allowed = {*listed, *sections[EVERYWHERE]}
    same, different = replayed(cases, file, front.urls[FILES[file]], allowed, tmp_path, of_its_port)
    assert different - set(sections[EVERYWHERE]) == listed, "on_purpose.txt lists cases that are answered alike"
    assert same > 2 * len(different)


def test_all_formats_together_on_the_services_port(front: Front, cases: Path, tmp_path: Path) -> None:
    sections = on_purpose()
    found: set[str] = set()
    for file in FILES:
        allowed = {*sections[EVERYWHERE], *sections.get(file, {}), *sections[SHARED]}
        _, different = replayed(cases, file, front.service.url, allowed, tmp_path, usual)
        found |= different
    assert {*sections[EVERYWHERE], *sections[SHARED]} <= found, "on_purpose.txt lists cases that are answered alike"


@pytest.mark.parametrize("variant", VARIANTS)
def test_another_configuration(cases: Path, tmp_path: Path, variant: str) -> None:
    sections = on_purpose()
    file = next(iter(FILES))
    with all_in_one(tmp_path / "log", *VARIANTS[variant]) as service:
        same, different = replayed(
            cases, file, service.url, set(sections[DIFFERS_THERE_TOO]), tmp_path, lambda name: name.startswith(variant)
        )
    assert same + len(different) > 0
    assert different == {name for name in sections[DIFFERS_THERE_TOO] if name.startswith(variant)}


def test_what_differs_on_purpose_is_listed_once() -> None:
    """A case of another configuration is listed for whoever replays all of them against one service."""
    sections = on_purpose()
    assert set(sections) == {EVERYWHERE, *FILES, SHARED, CONFIGURED, DIFFERS_THERE_TOO} - {"pipeline_http.jsonl"}
    assert all(name.startswith(tuple(VARIANTS)) for each in (CONFIGURED, DIFFERS_THERE_TOO) for name in sections[each])
    names = {name for each in (EVERYWHERE, *FILES, SHARED) for name in sections.get(each, {})}
    assert len(names) <= 33
