"""Settings from flags and variables: what is refused, what is only said, and what passes."""

from __future__ import annotations

import argparse
import dataclasses
import subprocess
import sys
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from ppocr_local.service import ServeSettings
from ppocr_settings import kserve_flags
from ppocr_settings.settings import load, setting, switches_spelt_out, warn_of_misspelt
from predictor.settings import PredictorSettings
from transformer.settings import TransformerSettings

SERVICES = (ServeSettings, PredictorSettings, TransformerSettings)


@dataclass(frozen=True)
class Sample:
    """One field of each kind."""

    whole_number: int = setting("Whole.", 3, minimum=1, maximum=10)
    part: float = setting("Part.", 0.5, minimum=0)
    unbounded: float = setting("Unbounded.", 0.5)
    maybe: int | None = setting("Maybe.", None)
    kind: Literal["max", "min"] | None = setting("Kind.", None, choices=("max", "min"))
    on: bool = setting("On.", False)
    name: str = setting("Name.", "")


def refused(capsys: pytest.CaptureFixture[str], *argv: str, **environ: str) -> str:
    """The sentence that ends the start."""
    with pytest.raises(SystemExit) as ended:
        load(Sample, argv, environ, prog="sample")
    assert ended.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


def test_a_flag_beats_a_variable_and_a_variable_the_default() -> None:
    environ = {"PPOCR_WHOLE_NUMBER": "4", "PPOCR_PART": "0.25", "PPOCR_KIND": "", "PPOCR_MAYBE": "", "PPOCR_ON": "yes"}
    assert load(Sample, ["--whole-number=5", "--name", "x"], environ) == Sample(5, 0.25, on=True, name="x")


@pytest.mark.parametrize("value", ["nan", "NaN", "-nan", "inf", "-inf", "infinity", "1e999"])
@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Sample) if "float" in str(field.type)])
def test_what_is_no_finite_number(capsys: pytest.CaptureFixture[str], field: str, value: str) -> None:
    refused(capsys, f"--{field}={value}")
    assert f"PPOCR_{field.upper()}" in refused(capsys, **{f"PPOCR_{field.upper()}": value})


@pytest.mark.parametrize("cls", SERVICES)
def test_no_number_of_a_service_may_be_nan(cls: type[Any]) -> None:
    numbers = [field.name for field in dataclasses.fields(cls) if field.type == "float"]
    assert numbers
    for name in numbers:
        with pytest.raises(SystemExit):
            load(cls, [f"--{name}=nan"], {})


@pytest.mark.parametrize("field", ["whole_number", "part", "maybe"])
def test_thousands_of_digits_are_a_sentence(capsys: pytest.CaptureFixture[str], field: str) -> None:
    for said in (
        refused(capsys, f"--{field}", "9" * 5000),
        refused(capsys, **{f"PPOCR_{field.upper()}": "9" * 5000}),
    ):
        assert "5000 characters" in said
        assert len(said) < 200


@pytest.mark.parametrize("value", ["0", "11", "-1", "1.5", "", "ten"])
def test_what_is_outside_of_its_bounds_or_no_number(capsys: pytest.CaptureFixture[str], value: str) -> None:
    assert "whole_number" in refused(capsys, f"--whole_number={value}")
    assert "PPOCR_WHOLE_NUMBER" in refused(capsys, PPOCR_WHOLE_NUMBER=value)


@pytest.mark.parametrize(
    ("argument", "nearest"),
    [
        ("--whole_numbr=4", "--whole_number"),
        ("--wholenumber", "--whole_number"),
        ("--whole-nubmer", "--whole_number"),
        ("--knid", "--kind"),
    ],
)
def test_a_misspelt_flag_is_refused_with_the_nearest(
    capsys: pytest.CaptureFixture[str], argument: str, nearest: str
) -> None:
    assert nearest in refused(capsys, argument)
    with pytest.raises(SystemExit):
        load(Sample, [argument], {}, kserve_flags=True)
    assert nearest in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("argument", ["word", "-x", "--nothing-like-it", "--"])
def test_what_is_no_flag_at_all(capsys: pytest.CaptureFixture[str], argument: str) -> None:
    if argument == "--":
        assert load(Sample, [argument], {}) == Sample()
    else:
        assert "did you mean" not in refused(capsys, argument)


def test_flags_of_kserve_pass_and_those_without_effect_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    argv = [
        "--workers",
        "2",
        "--event-loop=auto",
        "--enable_docs_url",
        "true",
        "--predictor_host",
        "x",
        "--model_name=m",
    ]
    settings = load(TransformerSettings, argv, {}, kserve_flags=True)
    assert (settings.predictor_host, settings.model_name) == ("x", "m")
    said = capsys.readouterr().err
    assert all(f"--{name} " in said for name in ("workers", "event_loop", "enable_docs_url"))
    assert "predictor_host" not in said
    assert load(PredictorSettings, ["--workers", "2"], {}, kserve_flags=True).workers == 2
    with pytest.raises(SystemExit):
        load(TransformerSettings, argv, {})


def test_the_flags_of_kserve_are_those_of_its_sdk() -> None:
    """In a process of its own: the SDK reads the command line at its import."""
    pytest.importorskip("kserve")
    program = "import kserve.model_server as m; print(*sorted(a.dest for a in m.parser._actions))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert set(done.stdout.split()) == kserve_flags.SDK


@pytest.mark.parametrize(
    ("variable", "nearest"),
    [
        ("PPOCR_WHOLE_NUMBR", "PPOCR_WHOLE_NUMBER"),
        ("PPOCR_WHOLENUMBER", "PPOCR_WHOLE_NUMBER"),
        ("PPOCR_UNBOUNDDE", "PPOCR_UNBOUNDED"),
    ],
)
def test_a_misspelt_variable_is_said_and_no_error(
    capsys: pytest.CaptureFixture[str], variable: str, nearest: str
) -> None:
    assert load(Sample, [], {variable: "1", "PPOCR_TEST_DATA": "x", "HOME": "/"}) == Sample()
    (said,) = capsys.readouterr().err.splitlines()
    assert variable in said and nearest in said


@pytest.mark.parametrize("cls", SERVICES)
def test_a_setting_of_another_service_is_no_misspelt_one(cls: type[Any], capsys: pytest.CaptureFixture[str]) -> None:
    """Both may have the same list of variables, and a Service that is called ppocr adds some."""
    others = {f"PPOCR_{field.name.upper()}" for other in SERVICES for field in dataclasses.fields(other)}
    links = {"PPOCR_PORT", "PPOCR_SERVICE_HOST", "PPOCR_SERVICE_PORT", "PPOCR_PORT_8080_TCP_ADDR", "PPOCR_CACHE"}
    own = {field.name for field in dataclasses.fields(cls)}
    warn_of_misspelt("sample", own, dict.fromkeys(others | links, "1"))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("argv", "spelt"),
    [
        (["--on", "on"], ["--on=true", "on"]),
        (["on", "-on", "on=1"], ["on", "-on", "on=1"]),
        (["--on=false"], ["--on=false"]),
        (["--name", "x"], ["--name", "x"]),
    ],
)
def test_only_what_has_two_dashes_is_a_switch(argv: list[str], spelt: list[str]) -> None:
    assert switches_spelt_out(argv, Sample) == spelt


def test_dashes_and_underscores_are_the_same_in_a_switch() -> None:
    assert switches_spelt_out(["--repository-api", "--prepare_sizes"], PredictorSettings) == [
        "--repository-api=true",
        "--prepare_sizes=true",
    ]


def test_help_lists_only_own_flags(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        load(Sample, ["--help"], {}, kserve_flags=True)
    shown = capsys.readouterr().out
    assert "--whole_number" in shown and "--workers" not in shown
    assert argparse.SUPPRESS not in shown
