"""The `ppocr` command itself: help, version, what is not a command, and that none of it loads a library."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

import ppocr
from ppocr_api.errors import ConfigError
from ppocr_cli import main
from ppocr_cli.extras import extra


@pytest.mark.parametrize("flag", ["--version", "-V", "version"])
def test_version(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([flag]) == 0
    assert capsys.readouterr().out == f"ppocr {ppocr.__version__}\n"


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    commands = ["serve", "read", "models", "rollout", "capacity", "top", "version"]
    assert re.findall(r"^  (\w+) ", capsys.readouterr().out, re.MULTILINE) == commands


@pytest.mark.parametrize("argv", [[], ["raed"]])
def test_wrong_usage_shows_the_help_on_standard_error(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "commands:" in said.err
    assert ("'raed'" in said.err) == bool(argv)


@pytest.mark.parametrize("argv", [["--help"], ["--version"], ["read", "--help"]])
def test_help_and_version_load_no_library(argv: list[str]) -> None:
    """What makes them slow is an import; the list of modules says so on any machine."""
    program = f"""
import sys
from ppocr_cli import main
from ppocr_cli.extras import extra
from ppocr_api.errors import ConfigError
try:
    main({argv!r})
except SystemExit:
    pass
heavy = {{"numpy", "cv2", "httpx", "grpc", "kserve", "fastapi", "openvino", "onnxruntime"}} & set(sys.modules)
sys.exit(f"loaded {{heavy}}" if heavy else 0)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr


def test_a_missing_library_names_the_extra_that_brings_it() -> None:
    sentence = r"drawing needs no_such_library: pip install 'ppocr-serving\[transformer\]'"
    with pytest.raises(ConfigError, match=sentence), extra("transformer", "drawing"):
        import no_such_library  # type: ignore[import-not-found]  # noqa: F401


def test_a_reader_of_the_output_that_left_ends_it_quietly() -> None:
    command = [sys.executable, "-m", "ppocr", "models", "show"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141
