"""`ppocr models convert`: converts a Paddle or ONNX model to a bundle, and checks that both read the same."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ppocr_api.errors import BundleError, ConfigError
from ppocr_cli import models_proof
from ppocr_cli.extras import extra
from ppocr_cli.models_store import next_version

if TYPE_CHECKING:
    from ppocr_convert.assembly import SourceNetwork
    from ppocr_convert.serving import Pipeline
    from predictor.bundle import Bundle

#: Share of the source's characters that may be read otherwise.
TOLERANCE = 0.005


def add_parser(commands: Any) -> None:
    """Adds `convert` to the subcommands of `ppocr models`."""
    parser = commands.add_parser(
        "convert",
        help="converts a model to a bundle, and compares the two",
        description="Converts a PP-OCR model (Paddle, PaddleServing or ONNX) to a bundle, and compares the two. A model "
        "is a folder, a tar, an .onnx file or a Paddle program (.pdmodel, .json). Nothing is downloaded.",
        allow_abbrev=False,
    )
    parser.set_defaults(act=run)
    parser.add_argument("out", metavar="OUT", help="repository to write the bundle to, as OUT/NAME/VERSION")
    parser.add_argument("--det", metavar="MODEL", help="detection network")
    parser.add_argument("--rec", metavar="MODEL", help="recognition network")
    parser.add_argument("--cls", metavar="MODEL", help="text-line orientation network, for use_textline_orientation")
    parser.add_argument(
        *("--page_orientation", "--page-orientation"),
        metavar="MODEL",
        help="page orientation network, for use_doc_orientation_classify",
    )
    parser.add_argument("--dict", metavar="FILE", help="the recognition network's characters, one per line, UTF-8")
    parser.add_argument(
        "--pdserving", metavar="FILE", help="config.yml of a PaddleServing pipeline, for its models and settings"
    )
    parser.add_argument("--name", default="", help="the bundle's name (default: that of the recognition network)")
    parser.add_argument("--version", default="", help="the bundle's version (default: the next free number)")
    parser.add_argument(
        "--licence", default="", help="licence of the model (default: known for published models, else unknown)"
    )
    parser.add_argument("--source", default="", help="description of the model's origin (default: names and digests)")
    parser.add_argument(
        *("--det_normalisation", "--det-normalisation"),
        choices=("imagenet", "half"),
        help="mean and deviation for the detection network's input (default: from its inference.yml, else imagenet)",
    )
    parser.add_argument("--images", metavar="DIR", help="images for the comparison (default: one generated image)")
    parser.add_argument(
        "--tolerance",
        type=float,
        default=TOLERANCE,
        help="share of characters that may differ between bundle and model (default: %(default)s)",
    )
    parser.add_argument(
        *("--no_proof", "--no-proof"),
        action="store_true",
        help="skip the comparison, if the model's engine isn't installed",
    )


def run(arguments: argparse.Namespace) -> int:
    """Writes OUT/NAME/VERSION. 0: made and proven; 1: not. Raises BundleError, ConfigError."""
    with extra("convert", "converting models"):
        import numpy  # noqa: F401
        import onnx  # noqa: F401
        import yaml  # type: ignore[import-untyped]  # noqa: F401
    pipeline = _pipeline(arguments)
    det, rec = arguments.det, arguments.rec
    if pipeline and not det and not rec:
        folders = [pipeline.models.get(part) for part in ("det", "rec")]
        if not all(folder and folder.is_dir() for folder in folders):
            print("nothing is converted: the models' folders aren't here; --det and --rec name them")
            return 0
        det, rec = map(str, folders)
    if not det or not rec:
        raise ConfigError("a bundle has a detection and a recognition network: name both --det and --rec")
    if not 0 <= arguments.tolerance <= 1:
        raise ConfigError(f"--tolerance is {arguments.tolerance}; it is a share, from 0 to 1")
    networks = _read(
        {"page_orientation": arguments.page_orientation, "det": det, "line_orientation": arguments.cls, "rec": rec}
    )
    bundle = _make(arguments, networks)
    return 0 if bundle else 1


def _pipeline(arguments: argparse.Namespace) -> Pipeline | None:
    """Prints what a pdserving config.yml says in this project's settings, and what has no counterpart."""
    if not arguments.pdserving:
        return None
    from ppocr_convert import serving

    path = Path(arguments.pdserving)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BundleError(f"--pdserving {path.name} can't be read: {error.strerror or error}") from error
    found = serving.pipeline(content, path.parent)
    print(f"settings for `ppocr serve` out of {path.name}:")
    print(" ".join(["  ppocr serve", *(f"--{name} {value}" for name, value in found.settings.items())]))
    print("not carried over:")
    for key, why in found.ignored.items():
        print(f"  {key}: {why}")
    for part, folder in found.models.items():
        print(f"model of {part}: {folder}")
    return found


def _read(models: Mapping[str, str | None]) -> dict[str, SourceNetwork]:
    """The networks by their names in the bundle, for those that a model is named for."""
    from ppocr_convert import assembly
    from ppocr_convert.sources import open_source

    networks = {}
    for name, argument in models.items():
        if argument:
            source = open_source(argument)
            networks[name] = assembly.read(source, name)
            kind = f"Paddle, {source.program_file}" if source.is_paddle else "ONNX"
            print(f"{name}: {source.name} ({kind}, {len(networks[name].model.graph.node)} operators)")
    return networks


def _make(arguments: argparse.Namespace, networks: Mapping[str, SourceNetwork]) -> Bundle | None:
    """The bundle in its place; None, and nothing there, if it doesn't read what its model reads."""
    import tempfile

    from ppocr_convert import assembly
    from ppocr_convert.characters import from_file
    from ppocr_convert.normalisations import DET_NORMALISATIONS

    root = Path(arguments.out)
    name = arguments.name or _name(networks["rec"])
    version = arguments.version or next_version(root, name)
    folder = root / name / version
    if folder.exists():
        raise BundleError(f"there is a bundle {name}/{version} already; versions don't change: choose another")
    dictionary: tuple[str, ...] = ()
    if arguments.dict:
        try:
            dictionary = from_file(Path(arguments.dict).read_bytes(), Path(arguments.dict).name)
        except OSError as error:
            raise BundleError(f"--dict {arguments.dict} can't be read: {error.strerror or error}") from error
    normalisation = DET_NORMALISATIONS.get(arguments.det_normalisation or "")
    options = assembly.ConvertOptions(name, version, arguments.licence, arguments.source, normalisation)
    made = assembly.assemble(networks, dictionary, options)
    if not arguments.no_proof:
        # A version that may be served is never one that wasn't proven yet.
        with tempfile.TemporaryDirectory(prefix="ppocr-proof-") as place:
            if not models_proof.proven(
                made.write(Path(place) / version), networks, arguments.images, arguments.tolerance
            ):
                return None
    try:
        bundle = made.write(folder)
    except OSError as error:
        raise BundleError(f"{folder} can't be written: {error.strerror or error}") from error
    print(
        f"wrote {bundle.path}: licence {bundle.manifest.licence}, {len(made.characters)} classes, content {bundle.digest}"
    )
    if arguments.no_proof:
        print("not proven: --no_proof")
    return bundle


def _name(rec: SourceNetwork) -> str:
    """The model's own name, or its file's, in letters that a bundle's name may have."""
    import re

    name = rec.description.model or rec.source.name.partition(".")[0].removesuffix("_infer")
    for part in ("_rec", "-rec"):
        name = name.replace(part, "")
    return re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-._") or "model"
