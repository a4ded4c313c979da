"""`ppocr read`: prints the text of images, read in this process or by a running service."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import io
import os
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ppocr_api.document import Page
from ppocr_api.errors import ConfigError, InvalidRequest, PpocrError
from ppocr_cli.annotations import draw, targets
from ppocr_cli.output import Output, Progress
from ppocr_cli.pictures import Picture, pictures
from ppocr_cli.readers import Read, by_service, in_process, local_flags, parameters_of
from ppocr_settings.settings import add_flags, from_namespace, parse, setting, switches_spelt_out, warn_of_misspelt
from predictor.settings import NetworkSettings
from transformer.parameters import Parameters
from transformer.settings import ReaderSettings

FAILED, USAGE, INTERRUPTED = 1, 2, 130


@dataclass(frozen=True)
class ReadSettings:
    """Options of `ppocr read`. OCR parameters are the same as in a request; they default to the model's values."""

    json: bool = setting("Print one JSON object per image, each on a line (JSON Lines), instead of the text.", False)
    annotate: str = setting("Draw boxes and texts: a .png for one image, a folder for several.", "")
    recursive: bool = setting("Also read the folders inside a folder.", False)
    jobs: int = setting("Images read at the same time.", 4, minimum=1, maximum=256)
    url: str = setting("Use the service at this address instead of reading in this process.", "")
    timeout: float = setting("Time limit per image in seconds with url, including retries.", 60.0, minimum=0.001)
    text_det_limit_side_len: int | None = setting(
        "Side length in pixels that an image is scaled to before detection.", None
    )
    text_det_limit_type: Literal["max", "min"] | None = setting(
        "max: the longer side is at most that length; min: the shorter side is at least that length.",
        None,
        choices=("max", "min"),
    )
    text_det_thresh: float | None = setting("Probability above which a pixel counts as text.", None)
    text_det_box_thresh: float | None = setting("Mean probability below which a box is dropped.", None)
    text_det_unclip_ratio: float | None = setting("How far a box is expanded around the detected text.", None)
    text_det_box_type: Literal["quad", "poly"] | None = setting(
        "quad: lines are quadrilaterals; poly: curved lines are polygons, and are straightened before reading.",
        None,
        choices=("quad", "poly"),
    )
    text_rec_score_thresh: float | None = setting("Confidence below which a line is dropped.", None)
    return_word_box: bool = setting("Also find the words of each line, for the JSON output.", False)
    use_textline_orientation: bool = setting("Use a network to find upside-down lines before they are read.", False)
    use_doc_orientation_classify: bool = setting("Also read pages that are turned by 90, 180 or 270 degrees.", False)
    columns: bool = setting("Read the columns of a page one after the other.", False)


_CLASSES = (ReadSettings, NetworkSettings, ReaderSettings)


def run(argv: Sequence[str], environ: Mapping[str, str] = os.environ) -> int:
    """Reads and prints. 0: all read; 1: some failed, each with a message on standard error; 2: wrong usage."""
    parser = _parser(environ)
    namespace = parse(parser, switches_spelt_out(argv, *_CLASSES), intermixed=True)
    warn_of_misspelt(parser.prog, {field.name for cls in _CLASSES for field in dataclasses.fields(cls)}, environ)
    try:
        settings = from_namespace(ReadSettings, namespace)
        Parameters.parse(parameters_of(settings))
        found = pictures(namespace.images, settings.recursive)
        drawn = targets(settings.annotate, found) if settings.annotate else {}
    except (ConfigError, InvalidRequest) as error:
        print(f"ppocr read: {error}", file=sys.stderr)  # without argparse's thirty lines of usage above it
        return USAGE
    if isinstance(sys.stdout, io.TextIOWrapper):
        # JSON is UTF-8 whatever the terminal's locale, and no character or file name may end the command.
        sys.stdout.reconfigure(encoding="utf-8" if settings.json else None, errors="backslashreplace")
    try:
        return asyncio.run(_read_all(_reader(settings, namespace), settings, found, drawn))
    except PpocrError as error:
        print(f"ppocr read: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


def _parser(environ: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ppocr read",
        description="Prints the text of images: files, folders of image files, or - for standard input.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="an image file, a folder, or -")
    add_flags(parser, ReadSettings, environ)
    local_flags(parser, environ)
    parser.add_argument(
        "-r",
        dest="recursive",
        action="store_const",
        const=True,
        default=argparse.SUPPRESS,
        help="short for --recursive",
    )
    return parser


def _reader(settings: ReadSettings, namespace: argparse.Namespace) -> AbstractAsyncContextManager[Read]:
    parameters = parameters_of(settings)
    if settings.url:
        return by_service(settings.url, settings.timeout, parameters)
    return in_process(namespace, parameters)


async def _read_all(
    reader: AbstractAsyncContextManager[Read],
    settings: ReadSettings,
    found: list[Picture],
    drawn: Mapping[Picture, Path],
) -> int:
    """Reads `jobs` images at a time and prints the results in order, each as soon as all earlier ones are printed."""
    output, progress = Output(settings.json, len(found) > 1), Progress(len(found))
    failed = 0
    async with reader as read:
        waiting: deque[tuple[Picture, asyncio.Task[Page]]] = deque()
        left = deque(found)
        try:
            while left or waiting:
                while left and len(waiting) < settings.jobs:
                    picture = left.popleft()
                    waiting.append((picture, asyncio.create_task(_read_one(read, picture, drawn.get(picture)))))
                picture, task = waiting.popleft()
                try:
                    page = await task
                    progress.clear()
                    output.write(picture.name, page)
                except PpocrError as error:
                    failed += 1
                    progress.clear()
                    print(f"ppocr read: {picture.name}: {error}", file=sys.stderr)
                progress.step()
        finally:
            for _, task in waiting:
                task.cancel()
            await asyncio.gather(*(task for _, task in waiting), return_exceptions=True)
    return FAILED if failed else 0


async def _read_one(read: Read, picture: Picture, target: Path | None) -> Page:
    data = await asyncio.to_thread(picture.data)
    page = await read(data)
    if target is not None:
        await asyncio.to_thread(draw, data, page, target)
    return page
