"""Every command block of the documentation is run by a test, or each of its commands is checked here by what it names.

Checked are programs of this repository: whether their options, targets, values and modules exist. What else is typed is named in
FOREIGN with where it is run. A block that is neither a list of commands nor known as something else fails.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import importlib
import importlib.util
import io
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from ppocr_cli import main
from tests.chart_values import taken, types, value_of
from tests.documented import ROOT, Block, Command, blocks, commands, pages
from tests.services import Service

#: Pages whose blocks other tests run as they stand.
RUN_ELSEWHERE = {"README.md": "tests/test_readme.py", "docs/programs.md": "tests/first_contact/test_documented.py"}
#: Programs that aren't this repository's → why they are not run by this test.
FOREIGN = {
    "kubectl": "needs a cluster: tests/cluster",
    "oras": "needs a registry: tests/test_release.py, nightly",
    "curl": "the routes: tests/first_contact",
    "pip": "an environment of its own: tests/test_readme.py",
    **dict.fromkeys(("apt", "cmake", "ctest", "build/ppocr-read"), "tests/clients/test_cpp.py builds and runs it"),
    **dict.fromkeys(("mvn", "java"), "tests/clients/test_java.py builds and runs it"),
    "py": "Windows: tests/test_windows.py looks at what it installs",
    "perf_analyzer": "a program of NVIDIA's: tests/first_contact/test_triton_tools.py asks as it does",
    **dict.fromkeys(("head", "tail", "grep", "cut", "sort", "uniq", "jq", "sed", "awk", "wc", "tr"), "filters"),
    **dict.fromkeys(
        ("ls", "cat", "echo", "openssl", "cp", "mv", "export", "counts()", "counts", "{", "}"), "the shell's own"
    ),
    **dict.fromkeys(("for", "do", "done", "sleep", "wait", "true", "if", "then", "fi"), "the shell's own"),
}
#: Blocks that tell nothing to type, by page and how they begin.
SHOWN = {
    "docs/architecture.md": ("bench | loadtest", '{"name": "page_orientation"'),
    "docs/integrations.md": ("DOCLING_SERVE_ENABLE_REMOTE_SERVICES=true",),
    "docs/loadtest.md": ("protocol  read", "Request concurrency", "service: an image alone"),
    "docs/migration.md": (">>> from paddle_serving_server", "upstream ocr {"),
    "docs/rollout.md": ("httproutes ppocr-rollout", "30 %        1"),
    "docs/tracing.md": ("POST /v1/models",),
    "k8s/README.md": ("# my/kustomization.yaml",),
}
#: Options of Locust itself that are used; loadtest/options.py has the others.
LOCUST = {"--headless", "--host", "--processes", "--master", "--worker", "--html", "--web-port"}
#: Pages whose `ppocr read`, `top` and `capacity` run as they stand in a folder with an image, nightly.
RUN_NIGHTLY = ("docs/cli.md",)


def all_blocks() -> list[Block]:
    return [block for page in pages() for block in blocks(page)]


def typed(block: Block) -> list[Command]:
    """The commands of a block, none where it tells nothing to type."""
    if block.language not in ("", "sh", "bash", "console") or block.first.startswith(SHOWN.get(block.page, ("\0",))):
        return []
    return list(commands(block))


COMMANDS = [each for block in all_blocks() if block.page not in RUN_ELSEWHERE for each in typed(block)]


def test_the_lists_name_nothing_that_is_gone() -> None:
    assert [page for page in (*SHOWN, *RUN_ELSEWHERE) if page not in pages()] == []
    firsts = [(block.page, block.first) for block in all_blocks()]
    gone = [
        (page, begin)
        for page, begins in SHOWN.items()
        for begin in begins
        if not any(of == page and first.startswith(begin) for of, first in firsts)
    ]
    assert gone == []
    assert [test for test in RUN_ELSEWHERE.values() if not (ROOT / test).is_file()] == []
    assert len(COMMANDS) > 80


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: f"{command.page}: {command.line[:60]}")
def test_a_command_names_what_is_there(command: Command) -> None:
    known = CHECKS.get(command.program) or (_script if command.program.startswith("scripts/") else None)
    if known is None:
        assert command.program in FOREIGN, (
            f"{command.page} types {command.line!r}, which nothing runs and nothing checks"
        )
        return
    known(command)


def _ppocr(command: Command) -> None:
    name = command.words[1]
    text = help_of(name, command.words[2]) if name == "models" else help_of(name)
    assert text.startswith("usage: ")
    assert [flag for flag in command.flags() if not re.search(rf"{re.escape(flag)}\b", text)] == []


@functools.cache
def help_of(*subcommand: str) -> str:
    """What `ppocr … --help` prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        main([*subcommand, "--help"])
    return printed.getvalue()


def _make(command: Command) -> None:
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert [word for word in command.words[1:] if "=" not in word and word not in targets] == []


def _script(command: Command) -> None:
    assert os.access(ROOT / command.program, os.X_OK)


def _python(command: Command) -> None:
    (module,) = command.after("-m") or [""]
    assert not module or importlib.util.find_spec(module) is not None
    script = next((word for word in command.words[1:] if word.endswith(".py")), None)
    assert module or script is None or (ROOT / script).is_file()


def _locust(command: Command) -> None:
    source = (ROOT / "loadtest" / "options.py").read_text()
    own = {f"--{name}" for name in re.findall(r'^    option\(\s*"([a-z0-9-]+)"', source, re.MULTILINE)}
    assert len(own) > 15
    assert [flag for flag in command.flags() if flag not in own | LOCUST] == []
    assert all((ROOT / file).is_file() for file in command.after("-f"))


def _pip(command: Command) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for word in command.words[1:]:
        own = re.fullmatch(r"(?:\.|ppocr-serving)\[([\w,-]+)\]", word)
        assert own is None or set(own[1].split(",")) <= extras.keys()
        assert not word.startswith("./") or (ROOT / word / "pyproject.toml").is_file()


def _helm(command: Command) -> None:
    if command.words[1] in ("install", "upgrade"):
        named = command.words[3]
        assert named.startswith("oci://") or (ROOT / named / "Chart.yaml").is_file()
    # A chart in a registry is one of this checkout: oci://REGISTRY/charts/NAME.
    names = [f"charts/{word.rpartition('/')[2]}" if word.startswith("oci://") else word for word in command.words]
    chart = next((name for name in names if (ROOT / name / "Chart.yaml").is_file()), "charts/ppocr")
    schema = json.loads((ROOT / chart / "values.schema.json").read_text())
    for option in ("--set", "--set-string"):
        for pairs in command.after(option):
            for pair in filter(None, re.split(r",(?=[\w.]+=)", pairs)):
                name, _, value = pair.partition("=")
                found = value_of(schema, schema, name.split("."))
                assert found is not None, f"{pair} is no value of the chart"
                assert types(option, value) <= taken(found), (
                    f"{option} {pair} is of another type than the chart's value"
                )
    assert "--reuse-values" not in command.words, "it breaks as soon as the chart gains a value"


CHECKS: dict[str, Callable[[Command], None]] = {
    "ppocr": _ppocr,
    "make": _make,
    "python": _python,
    "python3": _python,
    "locust": _locust,
    "pip": _pip,
    "helm": _helm,
}


PROGRAMS = [block for block in all_blocks() if block.language in ("python", "json", "yaml")]


@pytest.mark.parametrize("block", PROGRAMS, ids=lambda block: f"{block.page}: {block.first[:50]}")
def test_a_python_block_names_what_is_there(block: Block) -> None:
    """It can be parsed, and what it imports of this repository exists. docs/programs.md is run as a whole."""
    if block.language != "python":
        return
    rooms = {path.parent.name for path in (*ROOT.glob("*/__init__.py"), *ROOT.glob("clients/python/*/__init__.py"))}
    for node in ast.walk(ast.parse(block.text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in rooms:
            module = importlib.import_module(node.module or "")
            assert [name.name for name in node.names if not hasattr(module, name.name)] == []


NIGHTLY = [
    each for each in COMMANDS if each.page in RUN_NIGHTLY and each.program == "ppocr" and "http" not in each.line
]


@pytest.mark.skipif(not os.environ.get("PPOCR_NIGHTLY"), reason="runs commands of the documentation: nightly")
@pytest.mark.parametrize("line", sorted({each.line for each in NIGHTLY}))
def test_a_command_runs(line: str, service: Service, tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    for name in ("receipt.jpg", "scans/a.jpg"):
        (tmp_path / name).write_bytes((ROOT / "tests" / "data" / "075.jpg").read_bytes())
    words = line.replace("ppocr ", f"{sys.executable} -m ppocr ", 1)
    path = os.pathsep.join([str(ROOT), str(ROOT / "clients" / "python")])
    done = subprocess.run(
        ["bash", "-c", words], cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize(
    "line",
    [
        "ppocr serve --no_such_flag 1",
        "ppocr models convert --nothing x",
        "make nothing",
        "scripts/nothing",
        "python -m bench.nothing",
        "locust -f loadtest/locustfile.py --nothing",
        "pip install '.[nothing]'",
        "helm upgrade ppocr charts/ppocr --set predictor.nothing=1",
        "helm upgrade ppocr charts/ppocr --set predictor.replicas=many",
        "helm upgrade ppocr charts/ppocr --set predictor.restartedAt=$(date +%s)",
        "helm upgrade ppocr charts/ppocr --reuse-values",
        "nothing --at all",
    ],
)
def test_what_is_not_there_is_found(line: str) -> None:
    (command,) = commands(Block("x.md", "", f"    {line}\n"))
    with pytest.raises(AssertionError):
        test_a_command_names_what_is_there(command)
