"""A bundle on disk: the two networks of one model, their character set, and a manifest that says what they are.

<repository>/<name>/<version>/
    manifest.json       format, name, version, licence, source, facts, each file's SHA-256 and size, and the converter's
                        revision
    det.onnx, rec.onnx  UINT8 NHWC RGB in; normalisation and argmax inside
    characters.txt      one character a line, UTF-8; the first line is empty: CTC's blank
    det/, rec/          optional: the same networks in Paddle's own format
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from ppocr.contract import BundleFacts, DetFacts, Normalisation, Part, RecFacts
from ppocr_api.errors import BundleError

FORMAT = 1
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
    """All that manifest.json says. `rec.characters` is empty here: the characters lie in characters.txt."""

    name: str
    version: str
    licence: str
    source: str
    det: DetFacts
    rec: RecFacts
    det_normalisation: Normalisation
    rec_normalisation: Normalisation
    files: Mapping[str, FileRecord] = dataclasses.field(default_factory=dict)
    #: Revision of ppocr_convert that made it, 0 where something else did.
    converter: int = 0

    def to_json(self) -> str:
        raw = {"format": FORMAT, **dataclasses.asdict(self)}
        del raw["rec"]["characters"]
        raw["files"] = dict(sorted(raw["files"].items()))
        return json.dumps(raw, ensure_ascii=False, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Raises BundleError where the text isn't a manifest of this format, saying what is wrong with it."""
        try:
            raw = json.loads(text)
        except ValueError as error:
            raise BundleError(f"{MANIFEST} is not JSON: {error}") from error
        if not isinstance(raw, dict) or "format" not in raw:
            raise BundleError(f"{MANIFEST} has no field 'format'; is this a bundle?")
        if raw["format"] != FORMAT:
            raise BundleError(f"the bundle has format {raw['format']!r}; this version reads format {FORMAT}")
        try:
            manifest = cls(
                name=_name(raw["name"], "name"),
                version=_name(raw["version"], "version"),
                licence=str(raw["licence"]),
                source=str(raw["source"]),
                det=DetFacts(**raw["det"]),
                rec=RecFacts(characters=(), **raw["rec"]),
                det_normalisation=_normalisation(raw["det_normalisation"]),
                rec_normalisation=_normalisation(raw["rec_normalisation"]),
                files={_inside(name): FileRecord(**record) for name, record in raw["files"].items()},
                converter=int(raw.get("converter", 0)),
            )
        except KeyError as error:
            raise BundleError(f"{MANIFEST} lacks the field {error}") from error
        except (TypeError, ValueError, AttributeError) as error:
            raise BundleError(f"{MANIFEST} has a field of the wrong kind: {error}") from error
        return manifest


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
        """12 hexadecimal digits of the SHA-256 of all that the manifest says of the content, whatever its name."""
        anonymous = dataclasses.replace(self.manifest, name="", version="", licence="", source="")
        return hashlib.sha256(anonymous.to_json().encode()).hexdigest()[:12]

    @property
    def network_bytes(self) -> int:
        """Bytes of the largest file of each network: its parameters, in ONNX or in Paddle's format."""
        files = self.manifest.files.items()
        return sum(
            max((each.bytes for name, each in files if name.startswith(part)), default=0) for part in get_args(Part)
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

    def onnx(self, part: Part) -> Path:
        return self.file(f"{part}.onnx")

    def paddle(self, part: Part) -> tuple[Path, Path]:
        """Program (.pdmodel, or .json of PIR) and parameters of a network in Paddle's own format."""
        for program in ("inference.json", "inference.pdmodel"):
            if f"{part}/{program}" in self.manifest.files:
                return self.file(f"{part}/{program}"), self.file(f"{part}/inference.pdiparams")
        raise BundleError(f"the bundle {self.label} has no {part} network in Paddle's format; use another engine")

    def facts(self) -> BundleFacts:
        """The manifest's facts, with the characters."""
        try:
            text = self.file(CHARACTERS).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BundleError(f"{CHARACTERS} of the bundle {self.label} can't be read as UTF-8") from error
        # Not splitlines(): some of the characters count as line ends there.
        characters = tuple(text.removesuffix("\n").split("\n"))
        if characters[0] != "" or len(characters) < 2:
            raise BundleError(f"{CHARACTERS} of the bundle {self.label} doesn't start with an empty line for the blank")
        manifest = self.manifest
        return BundleFacts(
            name=manifest.name,
            version=manifest.version,
            det=manifest.det,
            rec=dataclasses.replace(manifest.rec, characters=characters),
            det_normalisation=manifest.det_normalisation,
            rec_normalisation=manifest.rec_normalisation,
            digest=self.digest,
        )


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


def _normalisation(raw: Mapping[str, Any]) -> Normalisation:
    channels, mean, std = raw["channels"], tuple(map(float, raw["mean"])), tuple(map(float, raw["std"]))
    if channels not in ("RGB", "BGR") or len(mean) != 3 or len(std) != 3 or not all(std):
        raise ValueError("a normalisation is channels 'RGB' or 'BGR', three means and three standard deviations")
    return Normalisation(channels, mean, std)


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
