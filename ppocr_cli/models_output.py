"""What `ppocr models` says of a bundle."""

from __future__ import annotations

import dataclasses
from typing import Any

from ppocr.bundle import TIMES_FILE, Bundle
from ppocr.repository import Entry
from ppocr_api.errors import BundleError


def summary(entry: Entry) -> dict[str, Any]:
    """A line of the list."""
    row: dict[str, Any] = {"name": entry.name, "version": entry.version, "path": str(entry.path), "bytes": disk(entry)}
    try:
        bundle = entry.open()
    except BundleError:
        return {**row, "memory_bytes": 0, "formats": [], "licence": "", "problem": entry.problem}
    manifest = bundle.manifest
    return {
        **row,
        "memory_bytes": memory(bundle),
        "formats": _formats(set(manifest.files)),
        "licence": manifest.licence,
        "problem": entry.problem,
    }


def facts_of(entry: Entry) -> dict[str, Any]:
    """All of the manifest, the character set's size, and the space on disk. Raises BundleError."""
    bundle = entry.open()
    manifest = bundle.manifest
    raw = dataclasses.asdict(manifest)
    del raw["rec"]["characters"]
    raw["rec"]["classes"] = len(bundle.facts().rec.characters)
    return {
        **raw,
        "digest": bundle.digest,
        "formats": _formats(set(manifest.files)),
        "bytes": disk(entry),
        "memory_bytes": memory(bundle),
        "path": str(entry.path),
    }


def describe(facts: dict[str, Any]) -> str:
    """`facts_of` for people."""
    lines = [
        f"{facts['name']}/{facts['version']}",
        f"  path        {facts['path']}",
        f"  size        {size(facts['bytes'])}",
        f"  memory      {size(facts['memory_bytes'])} at least, in a predictor on a CPU",
        f"  content     {facts['digest']}",
        f"  licence     {facts['licence']}",
        f"  source      {facts['source']}",
        f"  formats     {', '.join(facts['formats'])}",
        f"  converter   {facts['converter'] or 'another one'}",
    ]
    for part in ("det", "rec"):
        values = ", ".join(f"{name} {value}" for name, value in facts[part].items())
        normalisation = facts[f"{part}_normalisation"]
        lines += [
            f"  {part}         {values}",
            f"              normalised in {normalisation['channels']}: mean {_numbers(normalisation['mean'])}, "
            f"std {_numbers(normalisation['std'])}",
        ]
    lines.append("  files")
    lines += [
        f"    {name:<24} {size(record['bytes']):>9}  {record['sha256']}"
        for name, record in sorted(facts["files"].items())
    ]
    return "\n".join(lines)


def size(count: int) -> str:
    """Bytes, as people read them: 9.8 MB."""
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"


def disk(entry: Entry) -> int:
    """Bytes of its files."""
    return sum(path.stat().st_size for path in entry.path.rglob("*") if path.is_file())


def memory(bundle: Bundle) -> int:
    """Bytes that a predictor must have free to load it on a CPU; with the sizes of images that come it takes more."""
    return TIMES_FILE * bundle.network_bytes


def _formats(files: set[str]) -> list[str]:
    found = ["onnx"] if {"det.onnx", "rec.onnx"} <= files else []
    if {"det/inference.pdiparams", "rec/inference.pdiparams"} <= files:
        found.append("paddle")
    return found + (["cls"] if "cls.onnx" in files else [])


def _numbers(values: Any) -> str:
    return " ".join(f"{value:g}" for value in values)
