"""Sources of a conversion: a folder, a tar, or a file, and the network files in it.

Supported are Paddle's inference folders (inference.pdmodel or .json, .pdiparams, inference.yml), the files of PaddleServing's
converter (__model__, __params__, serving_server_conf.prototxt), those of Paddle 1 (model and params, or one file per
parameter), and ONNX.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ppocr_api.errors import BundleError
from ppocr_convert import known
from ppocr_convert.paddle_format.to_onnx import read_program

DESCRIPTION, SERVING = "inference.yml", "serving_server_conf.prototxt"
#: Program → parameters, for files without the usual suffixes.
_PAIRS = {"__model__": ("__params__", "params"), "model": ("params",)}
_TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
#: Larger than any PP-OCR network; a tar may claim any size.
MAX_BYTES = 1 << 31


@dataclass(frozen=True)
class Source:
    """One network's files: `onnx`, or `program` with `parameters`. The others may be empty."""

    name: str
    """The name of the file or folder, for messages."""
    onnx: bytes = b""
    program: bytes = b""
    parameters: bytes = b""
    program_file: str = ""
    description: bytes = b""
    serving: bytes = b""

    @property
    def is_paddle(self) -> bool:
        return bool(self.program)

    @property
    def digest(self) -> str:
        """SHA-256 of the network: of the ONNX file, or of program and parameters."""
        return hashlib.sha256(self.onnx or self.program + self.parameters).hexdigest()


@dataclass(frozen=True)
class _Files:
    """Files by their path below `name`, read when they are asked for."""

    name: str
    readers: Mapping[str, Callable[[], bytes]]

    def beside(self, path: str, name: str) -> str:
        return str(PurePosixPath(path).parent / name)

    def read(self, path: str) -> bytes:
        return self.readers[path]()

    def optional(self, path: str) -> bytes:
        return self.read(path) if path in self.readers else b""


def open_source(argument: str) -> Source:
    """Reads the files of the network at the path `argument`. Raises BundleError, which says what is missing."""
    path = Path(argument)
    if not path.exists():
        raise BundleError(known.missing(argument))
    try:
        if path.is_dir():
            return _network(_folder(path))
        if path.name.endswith(_TARS):
            with tarfile.open(path) as archive:
                return _network(_tar(path.name, archive))
        if path.suffix == ".onnx":
            return Source(path.name, onnx=path.read_bytes())
        if _is_program(path.name):
            folder = _folder(path.parent)
            return _paddle(_Files(path.name, folder.readers), path.name)
    except (tarfile.TarError, EOFError) as error:
        raise BundleError(f"{path.name} is not a complete tar: {error}") from error
    except OSError as error:
        raise BundleError(f"{path.name} can't be read: {error.strerror or error}") from error
    raise BundleError(f"{path.name} is neither a folder, a tar, an .onnx file nor a Paddle program (.pdmodel or .json)")


def _folder(path: Path) -> _Files:
    files = [file for file in sorted(path.rglob("*")) if file.is_file() and len(file.relative_to(path).parts) <= 3]
    return _Files(path.name or str(path), {file.relative_to(path).as_posix(): file.read_bytes for file in files})


def _tar(name: str, archive: tarfile.TarFile) -> _Files:
    """Nothing is unpacked: links, devices and paths of a tar have no effect."""

    def reader(member: tarfile.TarInfo) -> Callable[[], bytes]:
        def read() -> bytes:
            if member.size > MAX_BYTES:
                raise BundleError(f"{member.name} in {name} has {member.size} bytes; no PP-OCR network is that large")
            file = archive.extractfile(member)
            return b"" if file is None else file.read()

        return read

    members = [member for member in archive.getmembers() if member.isfile()]
    return _Files(name, {str(PurePosixPath(member.name)): reader(member) for member in members})


def _network(files: _Files) -> Source:
    programs = [path for path in files.readers if _is_program(PurePosixPath(path).name)]
    networks = [path for path in files.readers if path.endswith(".onnx")]
    if not programs and not networks:
        has = ", ".join(list(files.readers)[:5]) or "nothing"
        raise BundleError(
            f"there is no network in {files.name}: neither inference.pdmodel, inference.json, __model__ nor an .onnx file; "
            f"it has {has}"
        )
    folders = {str(PurePosixPath(path).parent) for path in programs or networks}
    if len(folders) > 1:
        raise BundleError(
            f"{files.name} has several networks, in {', '.join(sorted(folders))}; name one of the folders"
        )
    if programs:
        return _paddle(files, min(programs, key=_preference))
    if len(networks) > 1:
        raise BundleError(f"{files.name} has several networks: {', '.join(networks)}; name one of the files")
    description = files.optional(files.beside(networks[0], DESCRIPTION))
    return Source(files.name, onnx=files.read(networks[0]), description=description)


def _paddle(files: _Files, path: str) -> Source:
    program = files.read(path)
    return Source(
        name=files.name,
        program=program,
        parameters=_parameters(files, path, program),
        program_file="inference.json" if program[:1] == b"{" else "inference.pdmodel",
        description=files.optional(files.beside(path, DESCRIPTION)),
        serving=files.optional(files.beside(path, SERVING)),
    )


def _parameters(files: _Files, path: str, program: bytes) -> bytes:
    """One file, or the files of all parameters in the order in which one file would hold them."""
    name = PurePosixPath(path)
    candidates = _PAIRS.get(name.name, (f"{name.stem}.pdiparams",))
    for candidate in candidates:
        if (beside := files.beside(path, candidate)) in files.readers:
            return files.read(beside)
    apart = [files.beside(path, parameter) for parameter in sorted(read_program(program, name.name).parameters)]
    if apart and all(parameter in files.readers for parameter in apart):
        return b"".join(files.read(parameter) for parameter in apart)
    raise BundleError(f"{files.name} has {name.name} but not {candidates[0]}, which holds its parameters")


def _is_program(name: str) -> bool:
    return name.endswith(".pdmodel") or name in ("inference.json", *_PAIRS)


def _preference(path: str) -> tuple[int, str]:
    """Prefers PIR to the older format."""
    return (0 if path.endswith(".json") else 1, path)
