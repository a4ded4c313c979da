"""In one pod, the predictor gets its signal only when the transformer has answered what it accepted."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.charts.programs import CHART

pytestmark = pytest.mark.skipif(not Path("/proc/net/unix").exists(), reason="needs Linux, as the pods do")


def test_it_outlasts_the_port_and_then_the_connection(tmp_path: Path) -> None:
    path = str(tmp_path / "predictor.sock")
    with socket.create_server(("127.0.0.1", 0)) as port, socket.socket(socket.AF_UNIX) as predictor:
        predictor.bind(path)
        predictor.listen()
        transformer = socket.socket(socket.AF_UNIX)
        transformer.connect(path)
        accepted, _ = predictor.accept()
        script = CHART / "files" / "wait_for_transformer.py"
        hook = subprocess.Popen([sys.executable, script, str(port.getsockname()[1]), path])
        try:
            with pytest.raises(subprocess.TimeoutExpired):
                hook.wait(1)
            port.close()
            with pytest.raises(subprocess.TimeoutExpired):
                hook.wait(1)
            transformer.close()
            accepted.close()
            assert hook.wait(10) == 0
        finally:
            hook.kill()
            hook.wait()
            transformer.close()
            accepted.close()
