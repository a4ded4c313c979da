"""A repository of bundles on disk, in the V2 repository layout: <root>/<name>/<version>/manifest.json and its files.

The folders name a bundle and its version, as in every V2 repository; the names in the manifest may be older. A root folder
that has a manifest itself is a repository of that one bundle, under the manifest's names: that is how KServe provides a model
from a storageUri.

A version's manifest is written last. While files are still being copied, the version has a `problem`, and is not chosen.
"""

from __future__ import annotations

import dataclasses
import logging
from dataclasses import dataclass
from pathlib import Path

from ppocr_api.errors import BundleError
from predictor.bundle import Bundle
from predictor.manifest import MANIFEST

log = logging.getLogger("ppocr.predictor")

#: Path, size and time of change (ns) of each file of a version.
Stamp = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Entry:
    """One version in a repository. `problem` says why it can't be loaded; it is empty if it can."""

    name: str
    version: str
    path: Path
    problem: str = ""

    @property
    def label(self) -> str:
        """Name and version, as messages show them."""
        return f"{self.name}/{self.version}"

    def open(self) -> Bundle:
        """The bundle under the names of its folders. Raises BundleError; digests aren't checked (`Bundle.verify`)."""
        bundle = Bundle.open(self.path)
        return dataclasses.replace(
            bundle, manifest=dataclasses.replace(bundle.manifest, name=self.name, version=self.version)
        )

    def stamp(self) -> Stamp:
        """The state of its files now. Equal stamps mean equal files, as far as can be told without reading them."""
        return tuple(sorted(_stamps(self.path)))


def scan(root: Path | str) -> list[Entry]:
    """All versions in `root`, names in alphabetical order, versions from low to high; empty if there is no such folder.

    Every version's manifest is read, and compared with the sizes of its files, but not with their content. Folders that begin
    with a dot are left out: copy a version to `.something`, then rename it.
    """
    root = Path(root)
    if (root / MANIFEST).is_file():
        return [_single(root)]
    found = [
        _looked_at(Entry(name.name, version.name, version)) for name in _folders(root) for version in _folders(name)
    ]
    return sorted(found, key=lambda entry: (entry.name, version_order(entry.version)))


def versions(root: Path | str, name: str) -> list[Entry]:
    """The versions of the bundle `name` in `root`, from low to high."""
    return [entry for entry in scan(root) if entry.name == name]


def find(root: Path | str, name: str = "", version: str = "") -> Entry:
    """The entry of that name and version; without a name the only bundle, without a version the highest one.

    Versions without a manifest are incomplete and left out. Raises BundleError if no entry matches, or if a name is needed.
    """
    root = Path(root)
    entries = [entry for entry in scan(root) if (entry.path / MANIFEST).is_file()]
    if (root / MANIFEST).is_file():
        return entries[0]
    names = sorted({entry.name for entry in entries})
    listed = ", ".join(names) or "none"
    if not name and len(names) != 1:
        raise BundleError(f"the setting bundle must say which bundle to serve; the repository has {listed}")
    name = name or names[0]
    of_name = [entry for entry in entries if entry.name == name]
    if not of_name:
        raise BundleError(f"the repository has no bundle {name!r}; it has {listed}")
    if not version:
        return of_name[-1]
    for entry in of_name:
        if entry.version == version:
            return entry
    raise BundleError(
        f"the bundle {name} has no version {version!r}; it has {', '.join(entry.version for entry in of_name)}"
    )


def version_order(version: str) -> tuple[bool, int, str]:
    """Sorts versions: numbers by value, above names."""
    return (version.isdecimal(), int(version) if version.isdecimal() else 0, version)


def _single(root: Path) -> Entry:
    """A folder that is a bundle itself."""
    try:
        manifest = Bundle.open(root).manifest
    except Exception as error:
        return Entry(root.parent.name, root.name, root, _problem(error))
    return Entry(manifest.name, manifest.version, root)


def _looked_at(entry: Entry) -> Entry:
    if not (entry.path / MANIFEST).is_file():
        return dataclasses.replace(entry, problem=f"it has no {MANIFEST}, which is written last: is it complete?")
    try:
        entry.open()
    except Exception as error:
        return dataclasses.replace(entry, problem=_problem(error))
    return entry


def _problem(error: Exception) -> str:
    """The problem that `error` stands for. No bundle may stop the scan of the others."""
    if isinstance(error, BundleError):
        return error.message
    log.warning("a bundle can't be read", exc_info=error)
    return f"its {MANIFEST} can't be read"


def _folders(folder: Path) -> list[Path]:
    try:
        return [each for each in folder.iterdir() if _is_listed(each.name) and each.is_dir()]
    except OSError:
        return []


def _is_listed(name: str) -> bool:
    """False for hidden folders, and for names that can't be written into a log or JSON."""
    return not name.startswith(".") and name.isprintable()


def _stamps(folder: Path) -> list[tuple[str, int, int]]:
    found = []
    for path in folder.rglob("*"):
        try:
            if path.is_file():
                known = path.stat()
                found.append((str(path.relative_to(folder)), known.st_size, known.st_mtime_ns))
        except OSError:  # it is being replaced: the next scan will see it
            continue
    return found
