"""`ppocr capacity URL --p95 SECONDS`: measures the highest rate of images that a service reads within a time limit."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ppocr_api.errors import ConfigError
from ppocr_capacity.load import Target, one_by_one, steadily
from ppocr_capacity.report import Track, as_json, line, table
from ppocr_capacity.search import Bounds, Step, best, search
from ppocr_capacity.sizing import sizing
from ppocr_capacity.usage import Part, Usage, Watch
from ppocr_settings.settings import add_flags, from_namespace, parse, setting, switches_spelt_out

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
#: Images of the folder that are sent, its first ones by name; and of these how many alone, to know where to begin.
MAX_IMAGES, IMAGES_ALONE = 1000, 10
SUSTAINED, NOT_SUSTAINED, FAILED = 0, 1, 2


@dataclass(frozen=True)
class CapacitySettings:
    """Load and limits of `ppocr capacity`, and the rate to size for."""

    p95: float = setting("Seconds within which 95 % of the images must be read.", 2.0, minimum=0.001)
    images: str = setting("Folder of the images to send, one after the other. The result depends on them.", "")
    rate: float = setting(
        "Required images per second: prints pods and autoscaling targets for it. 0: none.", 0.0, minimum=0
    )
    headroom: float = setting(
        "Share of the capacity to keep free, for peaks and lost pods.", 0.3, minimum=0, maximum=0.95
    )
    at_least: float = setting("Exit code 1 if a track sustains fewer images per second.", 0.0, minimum=0)
    step_seconds: float = setting("Duration of each step, in seconds.", 20.0, minimum=0.1)
    min_requests: int = setting("Minimum images per step; a step at a low rate lasts longer for it.", 20, minimum=1)
    precision: float = setting("Relative error: by how much the result may be too low.", 0.1, minimum=0.01, maximum=1)
    start: float = setting("First rate. 0: half the rate of sequential requests.", 0.0, minimum=0)
    highest: float = setting("Highest rate to try.", 1000.0, minimum=0.001)
    bad_ratio: float = setting(
        "Share of a step's requests that may be refused (429, 503) or fail.", 0.0, minimum=0, maximum=1
    )
    track: str = setting("More tracks, as NAME=URL, separated by commas. They are measured one after the other.", "")
    name: str = setting("Name of the track at URL.", "service")
    parts: str = setting(
        "Parts of a track as NAME:PODS:CPU, separated by commas: the number of pods, and the CPU request of each.",
        "service:1",
    )
    metrics: str = setting(
        "Addresses of the parts' metrics, as PART=URL, separated by commas. Empty: URL/metrics for a first part with one pod.",
        "",
    )
    model: str = setting("Name of the model on the routes.", "ppocr")
    api_key: str = setting("API key, if the service requires one.", "")
    header: str = setting("An additional header, as NAME: VALUE, for example to select a track at a gateway.", "")
    timeout: float = setting("Seconds until a request counts as failed.", 30.0, minimum=0.1)
    wait: float = setting("Seconds to wait at the start until the service reads an image.", 0.0, minimum=0)
    seed: int = setting("Seed of the random times at which images are sent.", 1)
    json: bool = setting("Print JSON.", False)


def run(argv: Sequence[str], environ: Mapping[str, str] = os.environ, prog: str = "ppocr capacity") -> int:
    """0: each track holds a rate, and at least `at_least`; 1: one doesn't; 2: wrong usage, or the service can't be asked."""
    parser = argparse.ArgumentParser(
        prog=prog, description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("url", metavar="URL", help="address of the service, such as http://127.0.0.1:8080")
    add_flags(parser, CapacitySettings, environ)
    namespace = parse(parser, switches_spelt_out(argv, CapacitySettings), intermixed=True)
    try:
        settings = from_namespace(CapacitySettings, namespace)
        targets, parts = _targets(namespace.url, settings), _parts(settings)
        images = _images(settings)
    except ConfigError as error:
        parser.error(str(error))
    try:
        return asyncio.run(_search(targets, parts, images, settings))
    except ConfigError as error:
        print(f"{prog}: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return FAILED


async def _search(targets: list[Target], parts: list[Part], images: list[bytes], settings: CapacitySettings) -> int:
    tracks = [await _track(target, parts, images, settings) for target in targets]
    if settings.json:
        print(as_json(tracks, settings.p95, settings.rate, settings.headroom))
    else:
        print(table(tracks, settings.rate, settings.headroom))
    return SUSTAINED if all(track.held and track.held >= settings.at_least for track in tracks) else NOT_SUSTAINED


async def _track(target: Target, parts: list[Part], images: list[bytes], settings: CapacitySettings) -> Track:
    alone, until = await one_by_one(target, images[:IMAGES_ALONE]), time.monotonic() + settings.wait
    while not alone.seconds and time.monotonic() < until:
        await asyncio.sleep(1.0)
        alone = await one_by_one(target, images[:IMAGES_ALONE])
    if not alone.seconds:
        (reason, _), *_ = alone.failed.most_common(1) or [("it turned all images away", 1)]
        raise ConfigError(f"{target.url} reads none of the images: {reason}")
    print(f"{target.name}: an image alone takes {alone.percentile(0.5):.2f} s", file=sys.stderr)
    if alone.percentile(0.5) > settings.p95:
        return Track(target.name, target.url, [], [])
    used: dict[float, list[Usage]] = {}
    bounds = Bounds(settings.p95, settings.bad_ratio)
    here = [part if part.urls else dataclasses.replace(part, urls=_own_metrics(part, parts, target)) for part in parts]

    async def measure(rate: float) -> Step:
        seconds = max(settings.step_seconds, settings.min_requests / rate)
        async with Watch(here, target.headers) as watch:
            counted = await steadily(target, images, rate, seconds, settings.p95, settings.seed)
        step = Step(rate, counted, bounds.fault(counted))
        used[rate] = watch.usage()
        print(line(step), file=sys.stderr, flush=True)
        return step

    start = settings.start or 0.5 * len(alone.seconds) / alone.took
    steps = await search(measure, start, settings.highest, settings.precision)
    held = best(steps)
    sizes = [sizing(settings.rate, held.rate, settings.headroom, each) for each in used[held.rate]] if held else []
    return Track(target.name, target.url, steps, sizes if settings.rate else [])


def _own_metrics(part: Part, parts: list[Part], target: Target) -> tuple[str, ...]:
    """Those of the address that is asked are the first part's, if one pod alone stands behind it."""
    return (f"{target.url}/metrics",) if part is parts[0] and part.pods == 1 else ()


def _targets(url: str, settings: CapacitySettings) -> list[Target]:
    """The track at URL, and those of --track. Raises ConfigError."""
    headers = {"Authorization": f"Bearer {settings.api_key}"} if settings.api_key else {}
    if settings.header:
        name, colon, value = settings.header.partition(":")
        if not (colon and name.strip()):
            raise ConfigError(f"--header is {settings.header!r}, and must be NAME: VALUE")
        headers[name.strip()] = value.strip()
    named = [(settings.name, url), *(_pair("track", each) for each in filter(None, settings.track.split(",")))]
    for _, address in named:
        if not address.startswith(("http://", "https://")):
            raise ConfigError(f"{address!r} must begin with http:// or https://")
    return [Target(name, address.rstrip("/"), settings.model, headers, settings.timeout) for name, address in named]


def _parts(settings: CapacitySettings) -> list[Part]:
    urls: dict[str, list[str]] = {}
    for each in filter(None, settings.metrics.split(",")):
        name, url = _pair("metrics", each)
        urls.setdefault(name, []).append(url)
    parts = []
    for text in filter(None, settings.parts.split(",")):
        name, pods, cpu = (*text.split(":"), "", "")[:3]
        try:
            parts.append(Part(name, int(pods or 1), _cores(cpu), tuple(urls.pop(name, ()))))
        except ValueError:
            raise ConfigError(f"--parts has {text!r}, and must be like transformer:2:200m,predictor:1:2") from None
        if parts[-1].pods < 1:
            raise ConfigError(f"--parts has {text!r}, with no pod")
    if not parts or urls:
        raise ConfigError(f"--metrics names {', '.join(urls) or 'nothing'}, which is none of --parts")
    return parts


def _cores(text: str) -> float:
    return float(text[:-1]) / 1000 if text.endswith("m") else float(text or 0)


def _pair(option: str, text: str) -> tuple[str, str]:
    name, equals, url = text.partition("=")
    if not (name and equals and url):
        raise ConfigError(f"--{option} has {text!r}, and must be NAME=URL")
    return name, url


def _images(settings: CapacitySettings) -> list[bytes]:
    folder = Path(settings.images or ".")
    files = sorted(path for path in folder.glob("*") if path.suffix.lower() in SUFFIXES) if folder.is_dir() else []
    if not settings.images or not files:
        raise ConfigError(f"--images is {settings.images!r}, and must be a folder with images as the site reads them")
    return [path.read_bytes() for path in files[:MAX_IMAGES]]
