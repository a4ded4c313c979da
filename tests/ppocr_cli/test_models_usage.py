"""What `ppocr models` says of wrong usage, and what it loads."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ppocr_cli import main
from ppocr_cli.models_output import size
from ppocr_convert import network_facts
from ppocr_convert.normalisations import HALF

NETWORKS = (network_facts.detection(HALF), network_facts.recognition(HALF))


@pytest.mark.parametrize("argv", [["models"], ["models", "lsit"], ["models", "show", "a", "b"]])
def test_wrong_usage(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2
    assert "usage: ppocr models" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [["list"], ["--help"], ["convert", "--help"]])
def test_it_loads_no_library(argv: list[str]) -> None:
    program = f"""
import sys
from ppocr_cli import main
try:
    main(["models", *{argv!r}])
except SystemExit:
    pass
heavy = {{"numpy", "cv2", "onnx", "kserve", "openvino", "onnxruntime", "paddle", "yaml"}} & set(sys.modules)
sys.exit(f"loaded {{heavy}}" if heavy else 0)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr


def test_sizes_are_short() -> None:
    assert [size(count) for count in (0, 999, 1000, 15_400_000, 250_000_000, 2_100_000_000)] == [
        *("0 B", "999 B", "1.0 kB", "15.4 MB", "250 MB", "2.1 GB"),
    ]
