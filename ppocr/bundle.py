"""A bundle on disk: the networks of one model, and a manifest that says what they are.

<repository>/<name>/<version>/
    manifest.json       format, name, version, licence, source, networks in the order in which a page meets them, each
                        file's SHA-256 and size, and the converter's revision
    NETWORK.onnx        UINT8 NHWC RGB in; normalisation and argmax inside
    characters.txt      the recognition network's labels, one a line, UTF-8; the first line is empty: CTC's blank
    NETWORK/            optional: the same network in Paddle's own format
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ppocr import former_format
from ppocr.contract import BundleFacts, NetworkFacts
from ppocr.facts_json import network_from_json, network_to_json
from ppocr_api.errors import BundleError

FORMAT = 2
FORMER_FORMAT = 1
MANIFEST, CHARACTERS = "manifest.json", "characters.txt"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_BLOCK = 1 << 20
#: Memory of networks that are loaded and warmed up, in sizes of their files: OpenVINO takes 7 for PP-OCRv6 small, and
#: more with every size of image that it meets.
TIMES_FILE = 8


@dataclass(frozen=True)
class FileRecord:
    """What a file of a bundle must be: `sha256` in lower-case hexadecimals, and its size in bytes."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class Manifest:
    """All that manifest.json says. The labels of a network in `labels_files` lie in that file, and are empty here."""

    name: str
    version: str
    licence: str
    source: str
    networks: tuple[NetworkFacts, ...]
    labels_files: Mapping[str, str] = dataclasses.field(default_factory=dict)
    files: Mapping[str, FileRecord] = dataclasses.field(default_factory=dict)
    #: Revision of ppocr_convert that made it, 0 where something else did.
    converter: int = 0
    #: Digest of a manifest of the former format, which today's form of it wouldn't give.
    former_digest: str = ""

    @property
    def digest(self) -> str:
        """12 hexadecimal digits of the SHA-256 of all that it says of the content, whatever its name."""
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
        return json.dumps(raw, ensure_ascii=False, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Raises BundleError where the text isn't a manifest of a format that is read, saying what is wrong with it."""
        try:
            raw = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BundleError(f"{MANIFEST} is not JSON: {error}") from error
        if not isinstance(raw, dict) or "format" not in raw:
            raise BundleError(f"{MANIFEST} has no field 'format'; is this a bundle?")
        if raw["format"] not in (FORMAT, FORMER_FORMAT):
            raise BundleError(
                f"the bundle has format {raw['format']!r}; this version reads the formats {FORMER_FORMAT} and {FORMAT}"
            )
        try:
            return _manifest(raw)
        except KeyError as error:
            raise BundleError(f"{MANIFEST} lacks the field {error}") from error
        except (TypeError, ValueError, AttributeError) as error:
            raise BundleError(f"{MANIFEST} has a field of the wrong kind: {error}") from error


def _manifest(raw: dict[str, Any]) -> Manifest:
    former = raw["format"] == FORMER_FORMAT
    networks = former_format.networks_of(raw) if former else raw["networks"]
    known = tuple(network_from_json(network) for network in networks)
    names = [_name(network.name, "name of a network") for network in known]
    if not known or len(set(names)) != len(names):
        raise ValueError("the networks have names of their own, and there is at least one")
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
        former_digest=_former_digest(raw) if former else "",
    )


def _former_digest(raw: dict[str, Any]) -> str:
    """As the release that wrote the former format computes it: pods of both may serve the same bundle side by side."""
    anonymous = {**raw, "name": "", "version": "", "licence": "", "source": ""}
    return _digest(json.dumps(anonymous, ensure_ascii=False, indent=2) + "\n")


def _record(raw: Mapping[str, Any]) -> FileRecord:
    record = FileRecord(**raw)
    if not isinstance(record.sha256, str) or type(record.bytes) is not int:
        raise ValueError("a file has a SHA-256 and a size in bytes")
    return record


@dataclass(frozen=True)
class Bundle:
    """A bundle whose manifest was read and whose files are there in their right sizes. `verify` checks their digests."""

    path: Path
    manifest: Manifest

    @classmethod
    def open(cls, path: Path | str) -> Bundle:
        """Reads the manifest in `path`. Raises BundleError where it, or a file that it names, is missing or wrong."""
        path = Path(path)
        try:
            text = (path / MANIFEST).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BundleError(f"the bundle {path.name!r} has no readable {MANIFEST}") from error
        bundle = cls(path, Manifest.from_json(text))
        for name, record in bundle.manifest.files.items():
            size = _size(path / name)
            if size is None:
                raise BundleError(f"the bundle {bundle.label} lacks the file {name}")
            if size != record.bytes:
                raise BundleError(
                    f"{name} of the bundle {bundle.label} has {size} bytes; its manifest says {record.bytes}"
                )
        return bundle

    @property
    def label(self) -> str:
        """Name and version, as messages show them."""
        return f"{self.manifest.name}/{self.manifest.version}"

    @property
    def digest(self) -> str:
        """Tells its content from any other's."""
        return self.manifest.digest

    @property
    def network_bytes(self) -> int:
        """Bytes of the largest file of each network: its parameters, in ONNX or in Paddle's format."""
        files = self.manifest.files.items()
        return sum(
            max((each.bytes for name, each in files if name.startswith((f"{network}.", f"{network}/"))), default=0)
            for network in (network.name for network in self.manifest.networks)
        )

    def verify(self) -> None:
        """Reads all files; raises BundleError for the first whose SHA-256 is not the manifest's."""
        for name, record in self.manifest.files.items():
            found = _sha256(self.path / name)
            if found != record.sha256:
                raise BundleError(
                    f"{name} of the bundle {self.label} is not the file that its manifest describes: "
                    f"SHA-256 {found[:12]}… instead of {record.sha256[:12]}…"
                )

    def file(self, name: str) -> Path:
        """The path of a file of the manifest; BundleError where the manifest has none of that name."""
        if name not in self.manifest.files:
            raise BundleError(f"the bundle {self.label} has no {name}")
        return self.path / name

    def onnx(self, network: str) -> Path:
        """The ONNX file of a network."""
        return self.file(f"{network}.onnx")

    def paddle(self, network: str) -> tuple[Path, Path]:
        """Program (.pdmodel, or .json of PIR) and parameters of a network in Paddle's own format."""
        for program in ("inference.json", "inference.pdmodel"):
            if f"{network}/{program}" in self.manifest.files:
                return self.file(f"{network}/{program}"), self.file(f"{network}/inference.pdiparams")
        raise BundleError(f"the bundle {self.label} has no {network} network in Paddle's format; use another engine")

    def facts(self) -> BundleFacts:
        """The manifest's facts, with all labels. Raises BundleError where a file of labels can't be read."""
        manifest = self.manifest
        networks = tuple(
            dataclasses.replace(network, labels=self._labels(manifest.labels_files[network.name]))
            if network.name in manifest.labels_files
            else network
            for network in manifest.networks
        )
        return BundleFacts(manifest.name, manifest.version, networks, self.digest)

    def _labels(self, name: str) -> tuple[str, ...]:
        try:
            text = self.file(name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BundleError(f"{name} of the bundle {self.label} can't be read as UTF-8") from error
        # Not splitlines(): some of the characters count as line ends there.
        labels = tuple(text.removesuffix("\n").split("\n"))
        if labels[0] != "" or len(labels) < 2:
            raise BundleError(f"{name} of the bundle {self.label} doesn't start with an empty line for the blank")
        return labels


def file_record(content: bytes) -> FileRecord:
    return FileRecord(hashlib.sha256(content).hexdigest(), len(content))


def _name(value: Any, field: str) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise BundleError(f"the {field} in {MANIFEST} is {value!r}; letters, digits, '.', '_' and '-' may stand there")
    return value


def _inside(name: str) -> str:
    """A relative path that stays in the bundle."""
    if not name or name.startswith("/") or "\\" in name or ".." in name.split("/"):
        raise BundleError(f"{MANIFEST} names a file outside of the bundle: {name!r}")
    return name


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except OSError as error:
        raise BundleError(f"{path.name} can't be read") from error
    return digest.hexdigest()
