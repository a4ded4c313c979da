"""Writes a bundle atomically."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ppocr_api.errors import BundleError
from predictor.bundle import Bundle
from predictor.manifest import CHARACTERS, MANIFEST, Manifest, file_record

#: Goes up with every change of this package that makes different bundles from the same sources.
REVISION = 4


def existing(folder: Path, manifest: Manifest) -> Bundle | None:
    """The bundle in `folder`, if it is what this converter would write under `manifest`; None if it has to be built.

    Raises BundleError if there is a bundle whose files don't match its own manifest.
    """
    if not folder.exists():
        return None
    bundle = Bundle.open(folder)
    bundle.verify()
    expected = dataclasses.replace(manifest, files=bundle.manifest.files, converter=REVISION)
    return bundle if bundle.manifest == expected else None


def write(
    folder: Path,
    manifest: Manifest,
    files: Mapping[str, bytes],
    characters: Sequence[str],
    replace: bool = False,
) -> Bundle:
    """Writes `files` (by their names in the bundle), characters.txt and manifest.json into `folder`.

    `characters[0]` is the blank. Everything is written to a folder beside `folder` and moved at the end, so that nobody ever
    finds half a bundle; a reader that has files of a replaced bundle open keeps them. Raises BundleError if `folder` exists,
    because versions don't change; with `replace`, a bundle of another revision is replaced.
    """
    if folder.exists() and not replace:
        raise BundleError(f"there is a bundle {folder.parent.name}/{folder.name} already; choose another version")
    contents = {**files, CHARACTERS: ("\n".join(characters) + "\n").encode()}
    records = {name: file_record(data) for name, data in contents.items()}
    manifest = dataclasses.replace(manifest, files=records, converter=REVISION)
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for name, data in contents.items():
            target = staging / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        (staging / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
        staging.chmod(0o755)
        _move(staging, folder)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    return Bundle.open(folder)


def _move(staging: Path, folder: Path) -> None:
    """Moves `staging` to `folder`, and replaces what may be there."""
    if not folder.exists():
        staging.rename(folder)
        return
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as name:
        former = Path(name) / "former"
        folder.rename(former)
        try:
            staging.rename(folder)
        except BaseException:
            former.rename(folder)
            raise
