"""manifest.json of a bundle: what its networks are, and which files hold them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ppocr import former_format
from ppocr.contract import NetworkFacts
from ppocr.facts_json import network_from_json, network_to_json, what_is_wrong
from ppocr_api.errors import BundleError

FORMAT = 2
FORMER_FORMAT = 1
MANIFEST, CHARACTERS = "manifest.json", "characters.txt"
#: The most characters of a name that an error message shows.
_SHOWN = 60
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class FileRecord:
    """The expected content of a file: its `sha256` in lower-case hexadecimal digits, and its size in bytes."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class Manifest:
    """The content of manifest.json. Networks in `labels_files` (name → file) have their labels in that file; here they are
    empty."""

    name: str
    version: str
    licence: str
    source: str
    networks: tuple[NetworkFacts, ...]
    labels_files: Mapping[str, str] = dataclasses.field(default_factory=dict)
    files: Mapping[str, FileRecord] = dataclasses.field(default_factory=dict)
    #: Revision of ppocr_convert that made it, 0 if something else did.
    converter: int = 0
    #: Digest of a manifest in the former format, which can't be computed from the present form.
    former_digest: str = ""

    @property
    def digest(self) -> str:
        """12 hexadecimal digits of the SHA-256 of the manifest without its name, version, licence and source."""
        if self.former_digest:
            return self.former_digest
        return _digest(dataclasses.replace(self, name="", version="", licence="", source="").to_json())

    def to_json(self) -> str:
        networks = [network_to_json(network) for network in self.networks]
        for network in networks:
            if network["name"] in self.labels_files:
                network["labels_file"] = self.labels_files[network["name"]]
                del network["labels"]
        raw = {
            "format": FORMAT,
            "name": self.name,
            "version": self.version,
            "licence": self.licence,
            "source": self.source,
            "networks": networks,
            "files": {name: dataclasses.asdict(record) for name, record in sorted(self.files.items())},
            "converter": self.converter,
        }
        return _to_text(raw)

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Raises BundleError if the text isn't a manifest in a supported format, and says what is wrong with it."""
        try:
            raw = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BundleError(f"{MANIFEST} is not valid JSON") from error
        if not isinstance(raw, dict) or "format" not in raw:
            raise BundleError(f"{MANIFEST} has no field 'format'; is this a bundle?")
        if raw["format"] not in (FORMAT, FORMER_FORMAT):
            raise BundleError(
                f"the bundle has format {str(raw['format'])[:_SHOWN]}; "
                f"this version reads the formats {FORMER_FORMAT} and {FORMAT}"
            )
        try:
            return _manifest(raw)
        except BundleError:
            raise
        except KeyError as error:
            raise BundleError(f"{MANIFEST} lacks the field {error}") from error
        except Exception as error:
            raise BundleError(f"{MANIFEST} has a field of the wrong type: {what_is_wrong(error)}") from error


def _manifest(raw: dict[str, Any]) -> Manifest:
    former = raw["format"] == FORMER_FORMAT
    networks = former_format.networks_of(raw) if former else raw["networks"]
    known = tuple(network_from_json(network) for network in networks)
    names = [_name(network.name, "name of a network") for network in known]
    if not known or len(set(names)) != len(names):
        raise ValueError("there must be at least one network, each with its own name")
    labels_files = {
        network["name"]: _inside(network["labels_file"]) for network in networks if "labels_file" in network
    }
    return Manifest(
        name=_name(raw["name"], "name"),
        version=_name(raw["version"], "version"),
        licence=str(raw["licence"]),
        source=str(raw["source"]),
        networks=known,
        labels_files={former_format.REC: CHARACTERS} if former else labels_files,
        files={_inside(name): _record(record) for name, record in raw["files"].items()},
        converter=int(raw.get("converter", 0)),
        former_digest=_digest(_to_text(former_format.digested(raw))) if former else "",
    )


def _record(raw: Mapping[str, Any]) -> FileRecord:
    record = FileRecord(**raw)
    if not isinstance(record.sha256, str) or type(record.bytes) is not int:
        raise ValueError("each file must have a SHA-256 and a size in bytes")
    return record


def file_record(content: bytes) -> FileRecord:
    return FileRecord(hashlib.sha256(content).hexdigest(), len(content))


def _name(value: Any, field: str) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        given = shown(value) if isinstance(value, str) else str(value)[:_SHOWN]
        raise BundleError(f"the {field} in {MANIFEST} is {given}; it may have letters, digits, '.', '_' and '-'")
    return value


def _inside(name: str) -> str:
    """`name`, if it is a relative path that stays in the bundle. Raises BundleError otherwise."""
    if not name or name.startswith("/") or "\\" in name or ".." in name.split("/"):
        raise BundleError(f"{MANIFEST} names a file outside the bundle: {shown(name)}")
    return name


def shown(name: str) -> str:
    """A path from a bundle as error messages show it: shortened if it is long, and only its last part if it leads outside."""
    if name.startswith("/") or "../" in name:
        name = f"…/{name.rpartition('/')[2]}"
    return repr(name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…")


def _to_text(raw: Mapping[str, Any]) -> str:
    return json.dumps(raw, ensure_ascii=False, indent=2) + "\n"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
