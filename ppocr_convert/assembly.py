"""Converts network sources to a bundle: reads, translates, rebuilds, and writes it atomically."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import ModelProto

from ppocr.contract import NetworkFacts, Normalisation
from ppocr_api.errors import BundleError
from ppocr_convert import (
    characters,
    description,
    known,
    network_facts,
    orientation_head,
    serving,
    sizes,
    surgery,
    writer,
)
from ppocr_convert.description import Description
from ppocr_convert.network_facts import DET, REC, TASKS
from ppocr_convert.normalisations import HALF, IMAGENET
from ppocr_convert.paddle_format.to_onnx import convert, read_program
from ppocr_convert.sources import DESCRIPTION, Source
from predictor.bundle import Bundle
from predictor.manifest import CHARACTERS, Manifest, file_record

#: The name of a network in a bundle → the flag of `convert` that names its model.
FLAGS = {name: f"--{name}" for name in TASKS} | {"line_orientation": "--cls"}
UNKNOWN = "unknown"


@dataclass(frozen=True)
class ConvertOptions:
    """Options of a conversion. Empty values are determined from the source."""

    name: str
    version: str
    licence: str = ""
    source: str = ""
    det_normalisation: Normalisation | None = None


@dataclass(frozen=True)
class SourceNetwork:
    """A network of a source: its original graph as ONNX, and its inference.yml."""

    source: Source
    model: ModelProto
    description: Description


@dataclass(frozen=True)
class Assembled:
    """A bundle before it is written."""

    manifest: Manifest
    files: dict[str, bytes]
    characters: Sequence[str]

    def write(self, folder: Path) -> Bundle:
        """Raises BundleError if there is one already."""
        return writer.write(folder, self.manifest, self.files, self.characters)


def read(source: Source, name: str) -> SourceNetwork:
    """Raises BundleError, with the flag of the network `name`, if the source can't be read or translated."""
    with _blaming(name, source):
        described = description.read(source.description, DESCRIPTION) if source.description else Description()
        if source.is_paddle:
            program = read_program(source.program, source.program_file)
            serving.check(source.serving, program)
            model = convert(program, source.parameters, "its parameters' file")
        else:
            model = _onnx(source.onnx)
        return SourceNetwork(source, model, described)


def assemble(networks: Mapping[str, SourceNetwork], dictionary: tuple[str, ...], options: ConvertOptions) -> Assembled:
    """Rebuilds `networks`, by their names in the bundle: det, rec, and those of the orientation networks.

    `dictionary` has the characters of the recognition network; if it is empty, they are taken from the model. Raises
    BundleError, with the flag of the network that is wrong.
    """
    files: dict[str, bytes] = {}
    facts: list[NetworkFacts] = []
    letters: list[str] = []
    for name in (name for name in TASKS if name in networks):
        network = networks[name]
        with _blaming(name, network.source):
            # Rebuilding changes a model, but the proof needs it as it was published, so a copy is rebuilt.
            if name == DET:
                made, rebuilt = _detection(network, options)
            elif name == REC:
                made, rebuilt, letters = _recognition(network, dictionary)
            else:
                made, rebuilt = _orientation(network, TASKS[name])
        facts.append(made)
        files[f"{name}.onnx"] = rebuilt.SerializeToString(deterministic=True)
        if network.source.is_paddle:
            files[f"{name}/{network.source.program_file}"] = network.source.program
            files[f"{name}/inference.pdiparams"] = network.source.parameters
    manifest = Manifest(
        name=options.name,
        version=options.version,
        licence=options.licence or _licence(networks.values()),
        source=options.source or "; ".join(_origin(networks[network.name]) for network in facts),
        networks=tuple(facts),
        labels_files={REC: CHARACTERS},
    )
    # An invalid name or version is refused before anything is written.
    Manifest.from_json(manifest.to_json())
    return Assembled(manifest, files, letters)


def _detection(network: SourceNetwork, options: ConvertOptions) -> tuple[NetworkFacts, ModelProto]:
    normalisation = options.det_normalisation or network.description.normalisation or IMAGENET
    rebuilt = surgery.det(_copy(network.model), normalisation)
    sizes.check_det(rebuilt, network_facts.STRIDE)
    return network_facts.detection(normalisation, **network.description.detection), rebuilt


def _recognition(network: SourceNetwork, dictionary: tuple[str, ...]) -> tuple[NetworkFacts, ModelProto, list[str]]:
    model, normalisation = _copy(network.model), network.description.normalisation or HALF
    classes = surgery.classes(model)
    letters = characters.with_blank(*_characters(network, dictionary, classes))
    height = network.description.height or _height(model) or network_facts.HEIGHT
    rebuilt = surgery.rec(model, normalisation, height, classes)
    return network_facts.recognition(normalisation, height, sizes.rec_stride(rebuilt, height)), rebuilt, letters


def _orientation(network: SourceNetwork, task: str) -> tuple[NetworkFacts, ModelProto]:
    labels = tuple(label.removesuffix("_degree") for label in network.description.labels)
    if labels not in ((), orientation_head.LABELS[task]):
        raise BundleError(f"its {DESCRIPTION} lists the classes {', '.join(network.description.labels)}")
    model = _copy(network.model)
    fit = orientation_head.fit_of(model, task, network.description)
    return network_facts.orientation(task, fit), orientation_head.rebuild(model, task, fit)


@contextmanager
def _blaming(name: str, source: Source) -> Iterator[None]:
    """Puts the flag of the network and the name of its source in front of an error."""
    try:
        yield
    except BundleError as error:
        raise BundleError(f"{FLAGS[name]} {source.name}: {error}") from error


def _onnx(content: bytes) -> ModelProto:
    try:
        model = onnx.load_from_string(content)
        onnx.checker.check_model(model)
    except (DecodeError, onnx.checker.ValidationError) as error:
        raise BundleError(f"this is not a complete ONNX model: {str(error).splitlines()[0]}") from error
    if not model.graph.node:
        raise BundleError("this is not a complete ONNX model: it has no operators")
    return model


def _copy(model: ModelProto) -> ModelProto:
    copy = ModelProto()
    copy.CopyFrom(model)
    return copy


def _characters(rec: SourceNetwork, dictionary: tuple[str, ...], classes: int) -> tuple[tuple[str, ...], int, str]:
    if dictionary:
        return dictionary, classes, "the dictionary"
    if rec.description.characters:
        return rec.description.characters, classes, f"character_dict of its {DESCRIPTION}"
    if own := characters.from_metadata(rec.model):
        return own, classes, "its metadata"
    raise BundleError(
        f"the model doesn't contain its {classes - 2} characters (no {DESCRIPTION} with a character_dict, no metadata); "
        "pass its dictionary with --dict"
    )


def _height(model: ModelProto) -> int | None:
    """The height of a line, if the network's input has a fixed one."""
    shape = model.graph.input[0].type.tensor_type.shape.dim
    return (shape[2].dim_value or None) if len(shape) == 4 else None


def _licence(networks: Iterable[SourceNetwork]) -> str:
    digests = [file_record(network.source.parameters or network.source.onnx).sha256 for network in networks]
    return "Apache-2.0" if all(digest in known.APACHE_2 for digest in digests) else UNKNOWN


def _origin(network: SourceNetwork) -> str:
    source = network.source
    kind = f"Paddle {source.program_file.rpartition('.')[2]}" if source.is_paddle else "ONNX"
    return f"{network.description.model or source.name} ({kind}, SHA-256 {source.digest[:16]})"
