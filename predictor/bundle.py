"""A bundle on disk: the networks of one model, and a manifest that says what they are.

<repository>/<name>/<version>/
    manifest.json       format, name, version, licence, source, networks in pipeline order, each file's SHA-256 and size,
                        and the converter's revision
    NETWORK.onnx        UINT8 NHWC RGB in; normalisation and argmax inside
    characters.txt      the recognition network's labels, one per line, UTF-8; the first line is empty: CTC's blank
    NETWORK/            optional: the same network in Paddle's own format
"""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from pathlib import Path

from ppocr.contract import BundleFacts
from ppocr.facts_json import labels_of
from ppocr_api.errors import BundleError
from predictor.manifest import MANIFEST, Manifest, shown

_BLOCK = 1 << 20
#: Maximum bytes of a manifest, or of a file of labels; that of 18,710 characters has 0.1 million.
MAX_TEXT = 16 << 20
#: Maximum bytes of all files of a bundle. All are read for their digests, and no other version is loaded meanwhile.
MAX_BYTES = 8 << 30
#: Memory of loaded and warmed-up networks, as a multiple of the size of their files: OpenVINO takes 7 times the size for
#: PP-OCRv6 small, and more with every new image size.
MEMORY_PER_FILE_SIZE = 8


@dataclass(frozen=True)
class Bundle:
    """A bundle whose manifest was read and whose files exist in the right sizes. `verify` checks their digests."""

    path: Path
    manifest: Manifest

    @classmethod
    def open(cls, path: Path | str) -> Bundle:
        """Reads the manifest in `path`. Raises BundleError if it, or a file that it names, is missing or wrong."""
        path = Path(path)
        try:
            text = _text(path / MANIFEST)
        except (OSError, ValueError) as error:
            raise BundleError(f"the bundle {path.name!r} has no readable {MANIFEST}") from error
        bundle = cls(path, Manifest.from_json(text))
        if sum(record.bytes for record in bundle.manifest.files.values()) > MAX_BYTES:
            raise BundleError(f"the files of the bundle {bundle.label} have more than {MAX_BYTES >> 30} GiB")
        for name, record in bundle.manifest.files.items():
            size = _size(path / name)
            if size is None:
                raise BundleError(f"the bundle {bundle.label} lacks the file {shown(name)}")
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
        """Identifies the content (`Manifest.digest`)."""
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
                    f"{name} of the bundle {self.label} doesn't match its manifest: "
                    f"SHA-256 {found[:12]}… instead of {record.sha256[:12]}…"
                )

    def file(self, name: str) -> Path:
        """The path of a file of the manifest; BundleError if the manifest has none of that name."""
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
        """The manifest's facts, with all labels. Raises BundleError if a file of labels can't be read."""
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
            text = _text(self.file(name))
        except (OSError, ValueError) as error:
            raise BundleError(f"{name} of the bundle {self.label} can't be read as UTF-8") from error
        # Not splitlines(): some of the characters count as line ends there.
        labels = tuple(text.removesuffix("\n").split("\n"))
        if labels[0] != "" or len(labels) < 2:
            raise BundleError(f"{name} of the bundle {self.label} doesn't start with an empty line for the blank")
        try:
            return labels_of(list(labels))
        except ValueError as error:
            raise BundleError(f"{name} of the bundle {self.label} can't be read: {error}") from error


def _text(path: Path) -> str:
    """The content of a text file. Raises OSError, or ValueError if it isn't UTF-8 or has more than MAX_TEXT bytes."""
    if not path.is_file():  # reading a pipe would block
        raise FileNotFoundError(path.name)
    if path.stat().st_size > MAX_TEXT:
        raise ValueError("the file is too large")
    return path.read_text(encoding="utf-8")


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size if path.is_file() else None
    except (OSError, ValueError):  # a name that no file can have
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
