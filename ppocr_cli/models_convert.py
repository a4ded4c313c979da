"""`ppocr models convert`: a bundle out of a Paddle or ONNX model, and the proof that it reads the same."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ppocr_api.errors import BundleError, ConfigError
from ppocr_cli.extras import extra
from ppocr_cli.models_store import next_version

if TYPE_CHECKING:
    from ppocr.bundle import Bundle
    from ppocr_convert.making import Network
    from ppocr_convert.proof import Compared
    from ppocr_convert.serving import Pipeline

#: Share of the source's characters that may be read otherwise.
TOLERANCE = 0.005


def add_parser(commands: Any) -> None:
    """Adds `convert` to the subcommands of `ppocr models`."""
    parser = commands.add_parser(
        "convert",
        help="makes a bundle of a model, and proves it against the model",
        description="Makes a bundle of a PP-OCR model (Paddle, PaddleServing or ONNX), and proves it against the model. A model "
        "is a folder, a tar, an .onnx file or a Paddle program (.pdmodel, .json). Nothing is downloaded.",
        allow_abbrev=False,
    )
    parser.set_defaults(act=run)
    parser.add_argument("out", metavar="OUT", help="repository to write the bundle to, as OUT/NAME/VERSION")
    parser.add_argument("--det", metavar="MODEL", help="detection network")
    parser.add_argument("--rec", metavar="MODEL", help="recognition network")
    parser.add_argument(
        "--cls", metavar="MODEL", help="text-line orientation network: kept in the bundle, not used yet"
    )
    parser.add_argument("--dict", metavar="FILE", help="the recognition network's characters, one a line, UTF-8")
    parser.add_argument(
        "--pdserving", metavar="FILE", help="config.yml of a PaddleServing pipeline: its models, and its settings"
    )
    parser.add_argument("--name", default="", help="the bundle's name (default: that of the recognition network)")
    parser.add_argument("--version", default="", help="the bundle's version (default: the next number that is free)")
    parser.add_argument(
        "--licence", default="", help="licence of the model (default: that of models known by digest, else unknown)"
    )
    parser.add_argument(
        "--source", default="", help="where the model comes from, in words (default: names and digests)"
    )
    parser.add_argument(
        *("--det_normalisation", "--det-normalisation"),
        choices=("imagenet", "half"),
        help="mean and deviation that the detection network is fed with (default: of its inference.yml, else imagenet)",
    )
    parser.add_argument(
        "--images", metavar="DIR", help="images to prove it on (default: a picture that is drawn for it)"
    )
    parser.add_argument(
        "--tolerance",
        type=float,
        default=TOLERANCE,
        help="share of the characters that the bundle may read otherwise than the model (default: %(default)s)",
    )
    parser.add_argument(
        *("--no_proof", "--no-proof"), action="store_true", help="don't run the model: where its engine isn't installed"
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
        raise ConfigError("a bundle has two networks: name both --det and --rec")
    if not 0 <= arguments.tolerance <= 1:
        raise ConfigError(f"--tolerance is {arguments.tolerance}; it is a share, from 0 to 1")
    networks = _read(det, rec, arguments.cls)
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


def _read(det: str, rec: str, cls: str | None) -> list[Network]:
    from ppocr_convert import making
    from ppocr_convert.sources import open_source

    networks = []
    for flag, argument in (("--det", det), ("--rec", rec), ("--cls", cls)):
        if argument:
            source = open_source(argument)
            networks.append(making.read(source, flag))
            kind = f"Paddle, {source.program_file}" if source.is_paddle else "ONNX"
            print(f"{flag[2:]}: {source.name} ({kind}, {len(networks[-1].model.graph.node)} operators)")
    return networks


def _make(arguments: argparse.Namespace, networks: list[Network]) -> Bundle | None:
    """The bundle in its place; None, and nothing there, where it doesn't read what its model reads."""
    import tempfile

    from ppocr_convert import making
    from ppocr_convert.characters import from_file

    root = Path(arguments.out)
    name = arguments.name or _name(networks[1])
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
    normalisation = making.NORMALISATIONS.get(arguments.det_normalisation or "")
    wishes = making.Wishes(name, version, arguments.licence, arguments.source, normalisation)
    made = making.make(networks[0], networks[1], networks[2] if len(networks) > 2 else None, dictionary, wishes)
    if not arguments.no_proof:
        # A version that may be served is never one that wasn't proven yet.
        with tempfile.TemporaryDirectory(prefix="ppocr-proof-") as place:
            if not _proven(made.write(Path(place) / version), networks, arguments):
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


def _name(rec: Network) -> str:
    """The model's own name, or its file's, in letters that a bundle's name may have."""
    import re

    name = rec.description.model or rec.source.name.partition(".")[0].removesuffix("_infer")
    for part in ("_rec", "-rec"):
        name = name.replace(part, "")
    return re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-._") or "model"


def _proven(bundle: Bundle, networks: Sequence[Network], arguments: argparse.Namespace) -> bool:
    """Runs bundle and model side by side and prints what came out. Raises ConfigError where an engine is missing."""
    with extra("serve", "the proof (--no_proof leaves it out)"):
        import cv2  # noqa: F401
    for engine in sorted({"paddle" if network.source.is_paddle else "onnxruntime" for network in networks[:2]}):
        with extra(engine, "running the model as it came, for the proof (--no_proof leaves it out),"):
            _import_quietly(engine)
    from ppocr_convert import proof

    made, source = proof.sides(bundle, networks[0].source, networks[1].source)
    try:
        compared = [proof.compare(name, image, made, source) for name, image in _images(arguments.images)]
    finally:
        made.close()
        source.close()
    return _report(compared, arguments.tolerance)


def _import_quietly(library: str) -> None:
    """Paddle says at its import that it would build extensions slowly; none are built."""
    import importlib
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module(library)


def _images(folder: str | None) -> list[tuple[str, Any]]:
    if not folder:
        from ppocr_convert.sample import picture

        return [("drawn picture", picture())]
    from ppocr_cli.pictures import pictures
    from transformer.images import decode

    return [(Path(image.name).name, decode(image.data())) for image in pictures([folder], recursive=False)]


def _report(compared: Sequence[Compared], tolerance: float) -> bool:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    print(f"proof on {len(compared)} image{'s' if len(compared) > 1 else ''}, bundle against model, both in f32:")
    for image in compared:
        same = image.texts == image.source_texts
        print(
            f"  {image.name}: {len(image.source_texts)} lines, {'equal' if same else f'{image.edits} characters differ'}; "
            f"map within {image.map_difference}/255, {image.differing_steps} of {image.steps} time steps differ, "
            f"probabilities within {image.probability_difference:.1g}"
        )
        if not same:
            print("\n".join(f"    {line}" for line in _differences(image)))
    characters, edits = sum(image.characters for image in compared), sum(image.edits for image in compared)
    if not characters:
        print("  the model read nothing on these images, so nothing is proven: name others by --images")
        return False
    share = edits / characters
    good = share <= tolerance
    print(
        f"  {edits} of {characters} characters differ ({share:.2%}); up to {tolerance:.2%} may: {'passed' if good else 'FAILED'}"
    )
    return good


def _differences(image: Compared) -> list[str]:
    """Lines that differ: - as the model reads them, + as the bundle does."""
    import difflib

    found = difflib.ndiff(list(image.source_texts), list(image.texts))
    return [line for line in found if line[:2] in ("- ", "+ ")][:20]
