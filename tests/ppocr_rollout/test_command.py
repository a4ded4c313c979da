"""The command line of `ppocr rollout`."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from ppocr_cli.rollout import RolloutSettings, run

PAGE = Path(__file__).parents[2] / "docs" / "rollout.md"


def test_every_option_is_documented() -> None:
    text = PAGE.read_text()
    assert [field.name for field in dataclasses.fields(RolloutSettings) if f"| `--{field.name}`" not in text] == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--steps", "50,25"], "--steps is '50,25', and must be rising percentages from 1 to 100"),
        (["--steps", "0,100"], "rising percentages"),
        (["--steps", "5,x"], "rising percentages"),
        (["--steps", "5,101"], "rising percentages"),
        (["--hold", "soon"], "--hold is 'soon', and must be a time above 0"),
        (["--interval", "0"], "--interval is '0'"),
        (["--min_success", "1.5"], "--min_success (or PPOCR_MIN_SUCCESS) is 1.5"),
    ],
)
def test_wrong_usage_ends_with_2_and_a_sentence(
    options: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(["ppocr", *options], {})
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


def test_without_a_cluster(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "none"))
    assert run(["ppocr", "--steps", "5%, 100%", "--hold", "2m", "-n", "ocr"], {}) == 2
    assert "there is no cluster to talk to" in capsys.readouterr().err
