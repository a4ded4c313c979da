"""The comparison of `ppocr models convert`: runs bundle and model, and prints the differences."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ppocr_cli.extras import extra

if TYPE_CHECKING:
    from ppocr_convert.assembly import SourceNetwork
    from ppocr_convert.proof import Compared, OrientationCompared
    from predictor.bundle import Bundle


def proven(bundle: Bundle, networks: Mapping[str, SourceNetwork], images: str | None, tolerance: float) -> bool:
    """Whether `bundle` reads the pictures of the folder `images`, or a drawn one, as the networks that it was made of do.

    `tolerance` is the share of characters, and of orientation labels, that may differ. Raises ConfigError if an engine
    is missing.
    """
    with extra("serve", "the proof (--no_proof leaves it out)"):
        import cv2  # noqa: F401
    for engine in sorted({"paddle" if network.source.is_paddle else "onnxruntime" for network in networks.values()}):
        with extra(engine, "running the model as published, for the proof (--no_proof leaves it out),"):
            _import_quietly(engine)
    from ppocr_convert import proof

    made, source = proof.sides(bundle, {name: network.source for name, network in networks.items()})
    try:
        compared = [proof.compare(name, image, made, source) for name, image in _images(images)]
    finally:
        made.close()
        source.close()
    return _report(compared, tolerance)


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
    oriented = [_oriented(name, compared, tolerance) for name in sorted({n for i in compared for n in i.orientation})]
    share = edits / characters
    good = share <= tolerance
    print(
        f"  {edits} of {characters} characters differ ({share:.2%}); up to {tolerance:.2%} may: {'passed' if good else 'FAILED'}"
    )
    return good and all(oriented)


def _oriented(name: str, compared: Sequence[Compared], tolerance: float) -> bool:
    """Whether an orientation network gave the labels of the model."""
    found: list[OrientationCompared] = [image.orientation[name] for image in compared if name in image.orientation]
    items, differing = sum(one.items for one in found), sum(one.differing for one in found)
    good = differing <= tolerance * items
    print(
        f"  {name}: {differing} of {items} labels differ, probabilities within "
        f"{max(one.probability_difference for one in found):.1g}: {'passed' if good else 'FAILED'}"
    )
    return good


def _differences(image: Compared) -> list[str]:
    """Lines that differ: - as the model reads them, + as the bundle does."""
    import difflib

    found = difflib.ndiff(list(image.source_texts), list(image.texts))
    return [line for line in found if line[:2] in ("- ", "+ ")][:20]
