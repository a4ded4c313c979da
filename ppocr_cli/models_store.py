"""Adds and removes bundles of a repository, so that a watching predictor never sees an incomplete one."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from pathlib import Path

from ppocr_api.errors import BundleError
from ppocr_cli.models_output import disk
from predictor.bundle import Bundle
from predictor.manifest import MANIFEST, Manifest
from predictor.repository import folders
from predictor.repository.folders import Entry


def next_version(root: Path, name: str) -> str:
    """One more than the highest number that a version of the bundle `name` has; folders without a manifest count too."""
    folder = root / name
    taken = [int(each.name) for each in folder.iterdir() if each.name.isdecimal()] if folder.is_dir() else []
    return str(max(taken, default=0) + 1)


def add(root: Path, source: Path, name: str, version: str) -> Bundle:
    """Copies the bundle in `source`, its digests checked, to its place below `root`. Raises BundleError.

    It is copied to a hidden name, its manifest last, and then renamed.
    """
    bundle = Bundle.open(source)
    bundle.verify()
    bundle.facts()
    name = name or bundle.manifest.name
    version = version or next_version(root, name)
    manifest = dataclasses.replace(bundle.manifest, name=name, version=version)
    Manifest.from_json(manifest.to_json())
    target = root / name / version
    if target.exists():
        raise BundleError(f"there is a bundle {name}/{version} already; versions don't change: choose another")
    staging: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{version}.", dir=target.parent))
        for file in manifest.files:
            (staging / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / file, staging / file)
        (staging / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
        staging.chmod(0o755)
        Bundle.open(staging).verify()
        staging.rename(target)
    except OSError as error:
        raise BundleError(f"the bundle can't be copied to {target}: {error.strerror or error}") from error
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)
    return Bundle.open(target)


def remove(root: Path, entry: Entry, force: bool) -> int:
    """Takes `entry` out and returns the bytes that were freed. A service that has it in memory keeps serving it.

    Raises BundleError if it is the only version of its bundle, unless `force`: who serves that bundle by name would find none.
    """
    others = [other for other in folders.versions(root, entry.name) if other.version != entry.version]
    if entry.path == root:
        raise BundleError(f"{root} is the bundle itself, not a repository; remove the folder")
    if not any(not other.problem for other in others) and not force:
        raise BundleError(f"{entry.label} is the only version of {entry.name} that can be served; --force removes it")
    freed = disk(entry)
    try:
        # Renamed first, so that nobody finds a version with half of its files.
        hidden = Path(tempfile.mkdtemp(prefix=f".{entry.version}.", dir=entry.path.parent))
        entry.path.rename(hidden / "removed")
        shutil.rmtree(hidden)
        if not any(entry.path.parent.iterdir()):
            entry.path.parent.rmdir()
    except OSError as error:
        raise BundleError(f"{entry.label} can't be removed: {error.strerror or error}") from error
    return freed
