"""The output of `ppocr models`."""

from __future__ import annotations

import dataclasses
from typing import Any

from ppocr.contract import Axis
from ppocr.facts_json import network_to_json
from ppocr_api.errors import BundleError
from predictor.bundle import MEMORY_PER_FILE_SIZE, Bundle
from predictor.manifest import Manifest
from predictor.repository.folders import Entry


def summary(entry: Entry) -> dict[str, Any]:
    """A line of the list."""
    row: dict[str, Any] = {"name": entry.name, "version": entry.version, "path": str(entry.path), "bytes": disk(entry)}
    try:
        bundle = entry.open()
    except BundleError:
        return {**row, "memory_bytes": 0, "networks": [], "formats": [], "licence": "", "problem": entry.problem}
    manifest = bundle.manifest
    return {
        **row,
        "memory_bytes": memory(bundle),
        "networks": [network.name for network in manifest.networks],
        "formats": _formats(manifest),
        "licence": manifest.licence,
        "problem": entry.problem,
    }


def facts_of(entry: Entry) -> dict[str, Any]:
    """All of the manifest, with the number of each network's labels, and the space on disk. Raises BundleError."""
    bundle = entry.open()
    manifest = bundle.manifest
    networks = []
    for network in bundle.facts().networks:
        described = network_to_json(network)
        if network.name in manifest.labels_files:
            described["labels_file"] = manifest.labels_files[network.name]
            described["labels"] = []
        networks.append({**described, "classes": len(network.labels)})
    return {
        "name": manifest.name,
        "version": manifest.version,
        "licence": manifest.licence,
        "source": manifest.source,
        "networks": networks,
        "files": {name: dataclasses.asdict(record) for name, record in manifest.files.items()},
        "converter": manifest.converter,
        "digest": bundle.digest,
        "formats": _formats(manifest),
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
    for network in facts["networks"]:
        lines += _network(network)
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
    return MEMORY_PER_FILE_SIZE * bundle.network_bytes


def _network(network: dict[str, Any]) -> list[str]:
    normalisation, grid = network["normalisation"], network["grid"]
    height, width = (str(Axis(**grid[side])) for side in ("height", "width"))
    lines = [
        f"  network     {network['name']}, for {network['task']}",
        f"              height {height}, width {width}",
        f"              normalised in {normalisation['channels']}: mean {_numbers(normalisation['mean'])}, "
        f"std {_numbers(normalisation['std'])}",
    ]
    if network["parameters"]:
        lines.append("              " + ", ".join(f"{name} {value}" for name, value in network["parameters"].items()))
    if network["classes"]:
        labels = network["labels"]
        lines.append(f"              {network['classes']} classes" + (f": {', '.join(labels)}" if labels else ""))
    return lines


def _formats(manifest: Manifest) -> list[str]:
    """The formats that all of its networks are there in."""
    names, files = [network.name for network in manifest.networks], set(manifest.files)
    found = ["onnx"] if files.issuperset(f"{name}.onnx" for name in names) else []
    if files.issuperset(f"{name}/inference.pdiparams" for name in names):
        found.append("paddle")
    return found


def _numbers(values: Any) -> str:
    return " ".join(f"{value:g}" for value in values)
