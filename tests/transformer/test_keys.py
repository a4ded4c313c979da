"""API keys: which file is one, whose key it is, and what a change of the file does."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from ppocr_api.errors import ConfigError, Unauthorized
from transformer import keys
from transformer.keys import Keys


def line(name: str, key: str) -> str:
    return f"{name}:{hashlib.sha256(key.encode()).hexdigest()}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.write_text("# the keys\n\n" + line("alice", "one") + line("bob", "two") + line("alice", "three"))
    return path


def test_a_key_says_whose_it_is(file: Path) -> None:
    known = Keys(str(file))
    for key, name in (("one", "alice"), ("two", "bob"), ("three", "alice")):
        assert known.client(f"Bearer {key}") == known.client(f" bearer  {key} ") == name


@pytest.mark.parametrize(
    "header",
    ["", "one", "Basic one", "Bearer", "Bearer ", "Bearer one two", "Bearer four", "Bearer \xff\udce4", "Bearer \0"],
)
def test_anything_else_is_refused(file: Path, header: str) -> None:
    with pytest.raises(Unauthorized) as refused:
        Keys(str(file)).client(header)
    assert "one" not in str(refused.value).replace("no", "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "alice\n",
        "alice:abc\n",
        "alice:" + "A" * 64 + "\n",
        ":" + "a" * 64 + "\n",
        "a b:" + "a" * 64,
        "ä:",
    ],
)
def test_a_file_that_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys"
    path.write_text(text)
    with pytest.raises(ConfigError, match="api_key_file can't be used") as refused:
        Keys(str(path))
    assert str(tmp_path) not in str(refused.value) and "a" * 64 not in str(refused.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        Keys(str(tmp_path / "none"))


def test_a_changed_file_is_read_again(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "CHECK_INTERVAL_SECONDS", 0.0)
    known = Keys(str(file))
    replace(file, line("carol", "four"))
    assert known.client("Bearer four") == "carol"
    with pytest.raises(Unauthorized):
        known.client("Bearer one")
    for broken in ("rubbish\n", ""):
        replace(file, broken)
        assert known.client("Bearer four") == "carol"
    file.unlink()
    assert known.client("Bearer four") == "carol"
    os.mkfifo(file)  # nobody may wait for what never comes
    assert known.client("Bearer four") == "carol"
    file.unlink()
    file.mkdir()
    assert known.client("Bearer four") == "carol"
    file.rmdir()
    file.write_bytes(bytes(keys.MAX_BYTES + 1))
    assert known.client("Bearer four") == "carol"
    replace(file, line("dave", "five"))
    assert known.client("Bearer five") == "dave"


def replace(file: Path, text: str) -> None:
    """As Kubernetes replaces a Secret's file: by another one."""
    new = file.with_suffix(".new")
    new.write_text(text)
    os.replace(new, file)
