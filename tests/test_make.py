"""Which Python `make` takes, and what it says where it can take none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def python(folder: Path, name: str, version: tuple[int, int] | None, modules: bool = True) -> None:
    """A stand-in that answers as that version does; without a version it fails as a shim of pyenv without its Python."""
    if version is None:
        body = "exit 127"
    else:
        # The real interpreter judges the script's own condition, with the version and the modules of the stand-in.
        lacks = "" if modules else "sys.modules['ensurepip'] = None; "
        body = f'exec {sys.executable} -c "import sys; sys.version_info = {(*version, 0)}; {lacks}$2"'
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)


def found(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", ROOT / "scripts" / "find_python"],
        env={"PATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("there", "taken"),
    [
        ({"python3.11": (3, 11), "python3.12": (3, 12), "python3": (3, 11)}, "python3.12"),
        ({"python3.13": None, "python3.12": (3, 12)}, "python3.12"),
        ({"python3.14": (3, 14), "python3.11": (3, 11), "python3": (3, 14)}, "python3.11"),
        ({"python3": (3, 13)}, "python3"),
    ],
    ids=str,
)
def test_it_takes_the_newest_that_can_be_used(
    tmp_path: Path, there: dict[str, tuple[int, int] | None], taken: str
) -> None:
    for name, version in there.items():
        python(tmp_path, name, version)
    assert found(tmp_path).stdout == f"{tmp_path / taken}\n"


def test_one_that_cannot_make_environments_is_passed_over(tmp_path: Path) -> None:
    python(tmp_path, "python3.13", (3, 13), modules=False)
    python(tmp_path, "python3.11", (3, 11))
    assert found(tmp_path).stdout == f"{tmp_path / 'python3.11'}\n"


@pytest.mark.parametrize("there", [{}, {"python3": (3, 10)}, {"python3": (3, 14)}, {"python3": None}], ids=str)
def test_it_says_where_there_is_none(tmp_path: Path, there: dict[str, tuple[int, int] | None]) -> None:
    for name, version in there.items():
        python(tmp_path, name, version)
    done = found(tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "PYTHON=" in done.stderr


def test_python_overrides(tmp_path: Path) -> None:
    named = tmp_path / "mine"
    named.write_text("#!/bin/sh\nexit 127\n")
    named.chmod(0o755)
    done = subprocess.run(
        ["make", "serve", f"PYTHON={named}", f"VENV={tmp_path / 'venv'}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert str(named) in done.stderr
    assert not (tmp_path / "venv").exists()
