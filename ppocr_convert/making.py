"""Makes a bundle out of the networks' sources: reads, translates, rebuilds, and writes it as a whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import ModelProto

from ppocr.bundle import Bundle, Manifest, file_record
from ppocr.contract import DetFacts, Normalisation, RecFacts
from ppocr_api.errors import BundleError
from ppocr_convert import characters, description, known, serving, sizes, surgery, writer
from ppocr_convert.description import Description
from ppocr_convert.paddle_format.to_onnx import convert, read_program
from ppocr_convert.sources import DESCRIPTION, Source

HALF = Normalisation("BGR", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
#: ImageNet's, which PP-OCR's detection networks are trained with; the means are applied to the channels as they are read.
IMAGENET = Normalisation("BGR", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
NORMALISATIONS = {"imagenet": IMAGENET, "half": HALF}
#: Of PP-OCR's text-line orientation networks, where nothing says otherwise.
CLS_SIZE = (48, 192)
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Wishes:
    """What the caller says; what is empty is found out."""

    name: str
    version: str
    licence: str = ""
    source: str = ""
    det_normalisation: Normalisation | None = None


@dataclass(frozen=True)
class Network:
    """A source that was read: its network as ONNX, as it came, and what its inference.yml says."""

    source: Source
    model: ModelProto
    description: Description


@dataclass(frozen=True)
class Made:
    """A bundle before it is written."""

    manifest: Manifest
    files: dict[str, bytes]
    characters: Sequence[str]

    def write(self, folder: Path) -> Bundle:
        """Raises BundleError where there is one already."""
        return writer.write(folder, self.manifest, self.files, self.characters)


def read(source: Source, flag: str) -> Network:
    """Raises BundleError, naming the flag that the source came by, where it can't be read or translated."""
    with said_of(flag, source):
        told = description.read(source.description, DESCRIPTION) if source.description else Description()
        if source.is_paddle:
            program = read_program(source.program, source.program_file)
            serving.check(source.serving, program)
            model = convert(program, source.parameters, "its parameters' file")
        else:
            model = _onnx(source.onnx)
        return Network(source, model, told)


def make(det: Network, rec: Network, cls: Network | None, dictionary: tuple[str, ...], wishes: Wishes) -> Made:
    """Rebuilds the networks. `dictionary` is used where the recognition model carries no characters; empty for none.

    Raises BundleError, with the flag of the network that is wrong.
    """
    files: dict[str, bytes] = {}
    det_normalisation = wishes.det_normalisation or det.description.normalisation or IMAGENET
    det_facts = DetFacts(**det.description.det)
    with said_of("--det", det.source):
        rebuilt = surgery.det(_copy(det.model), det_normalisation)
        sizes.check_det(rebuilt, det_facts.stride)
        files["det.onnx"] = rebuilt.SerializeToString(deterministic=True)
    rec_normalisation = rec.description.normalisation or HALF
    with said_of("--rec", rec.source):
        model = _copy(rec.model)
        classes = surgery.classes(model)
        letters = characters.with_blank(*_characters(rec, dictionary, classes))
        height = rec.description.height or _height(model) or RecFacts.height
        rebuilt = surgery.rec(model, rec_normalisation, height, classes)
        rec_facts = RecFacts((), height=height, stride=sizes.rec_stride(rebuilt, height))
        files["rec.onnx"] = rebuilt.SerializeToString(deterministic=True)
    if cls is not None:
        with said_of("--cls", cls.source):
            files["cls.onnx"] = _cls(cls)
    for part, network in (("det", det), ("rec", rec)):
        if network.source.is_paddle:
            files[f"{part}/{network.source.program_file}"] = network.source.program
            files[f"{part}/inference.pdiparams"] = network.source.parameters
    networks = [network for network in (det, rec, cls) if network is not None]
    manifest = Manifest(
        name=wishes.name,
        version=wishes.version,
        licence=wishes.licence or _licence(networks),
        source=wishes.source or "; ".join(_origin(network) for network in networks),
        det=det_facts,
        rec=rec_facts,
        det_normalisation=det_normalisation,
        rec_normalisation=rec_normalisation,
    )
    Manifest.from_json(manifest.to_json())  # a name or a version that can't be one is said before anything is written
    return Made(manifest, files, letters)


@contextmanager
def said_of(flag: str, source: Source) -> Iterator[None]:
    """Puts the flag and the name in front of what is said of a source."""
    try:
        yield
    except BundleError as error:
        raise BundleError(f"{flag} {source.name}: {error}") from error


def _onnx(content: bytes) -> ModelProto:
    try:
        model = onnx.load_from_string(content)
        onnx.checker.check_model(model)
    except (DecodeError, onnx.checker.ValidationError) as error:
        raise BundleError(f"this is not a whole ONNX model: {str(error).splitlines()[0]}") from error
    if not model.graph.node:
        raise BundleError("this is not a whole ONNX model: it has no operators")
    return model


def _copy(model: ModelProto) -> ModelProto:
    copy = ModelProto()
    copy.CopyFrom(model)
    return copy


def _characters(rec: Network, dictionary: tuple[str, ...], classes: int) -> tuple[tuple[str, ...], int, str]:
    if dictionary:
        return dictionary, classes, "the dictionary"
    if rec.description.characters:
        return rec.description.characters, classes, f"character_dict of its {DESCRIPTION}"
    if own := characters.from_metadata(rec.model):
        return own, classes, "its metadata"
    raise BundleError(
        f"the model says nothing of its {classes - 2} characters (no {DESCRIPTION} with a character_dict, no metadata); "
        "name its dictionary by --dict"
    )


def _height(model: ModelProto) -> int | None:
    """The height of a line, where the network's input says one."""
    shape = model.graph.input[0].type.tensor_type.shape.dim
    return (shape[2].dim_value or None) if len(shape) == 4 else None


def _cls(cls: Network) -> bytes:
    shape = [size.dim_value for size in cls.model.graph.input[0].type.tensor_type.shape.dim]
    own = (shape[2], shape[3]) if len(shape) == 4 and shape[2] > 0 and shape[3] > 0 else None
    height, width = cls.description.size or own or CLS_SIZE
    rebuilt = surgery.cls(_copy(cls.model), cls.description.normalisation or HALF, height, width)
    classes = sizes.output_shape(rebuilt, (1, height, width, 3))[-1]
    if classes not in (2, None):
        raise BundleError(f"the orientation network has {classes} classes; upright and upside down are two")
    return bytes(rebuilt.SerializeToString(deterministic=True))


def _licence(networks: list[Network]) -> str:
    digests = [file_record(network.source.parameters or network.source.onnx).sha256 for network in networks]
    return "Apache-2.0" if all(digest in known.APACHE_2 for digest in digests) else UNKNOWN


def _origin(network: Network) -> str:
    source = network.source
    kind = f"Paddle {source.program_file.rpartition('.')[2]}" if source.is_paddle else "ONNX"
    return f"{network.description.model or source.name} ({kind}, SHA-256 {source.digest[:16]})"
