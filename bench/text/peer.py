"""RapidOCR as a reader of cases: bench/peers/rapidocr_peer.py in the peer's own environment."""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench.text import draw, fonts
from bench.text.case import Case, Line

PROGRAM = Path(__file__).parents[1] / "peers" / "rapidocr_peer.py"


@contextlib.contextmanager
def rapidocr(python: Path) -> Iterator[Callable[[Case], Sequence[Line]]]:
    """Reads a case's image; the lines have no places."""
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "image"
        # RapidOCR loads its recognition with the first line that it finds.
        image.write_bytes(draw.png(draw.page(["Ready to read"], draw.Type(fonts.LATIN[0], 30))))
        command: list[str | Path] = [python, PROGRAM, "--engine", "openvino", "--go-on", "--warm", image]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdin is not None and process.stdout is not None
            process.stdout.readline()  # it is ready

            def read(case: Case) -> Sequence[Line]:
                assert process.stdin is not None and process.stdout is not None
                image.write_bytes(case.image)
                process.stdin.write(f"{image}\n")
                process.stdin.flush()
                return [{"text": text, "words": []} for text in json.loads(process.stdout.readline())["texts"]]

            yield read
            process.stdin.close()
