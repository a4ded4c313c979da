"""A repository whose versions are different models, PP-OCRv6 small and PP-OCRv4 mobile; clients who read while they change.

The two have different character sets, 18,710 and 6,625: a line decoded with the wrong one is not the text that is known.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from ppocr_client import Client
from predictor.loading import BUILT_IN
from predictor.manifest import MANIFEST
from tests import needs, services

ROOT = Path(__file__).parent.parent
IMAGES = tuple(sorted((ROOT / "tests" / "data").glob("*.jpg")))
NAME = "ppocr-x"
#: At this size an image takes half as long, and a swap meets as many requests.
SIDE = 640
URL = f"/v1/models/ppocr:predict?text_det_limit_side_len={SIDE}"

Texts = tuple[str, ...]


def models() -> tuple[Path, Path]:
    """The folders of v6 and v4."""
    return BUILT_IN / "ppocrv6-small" / "1", needs.v4_bundle()


def put(root: Path, version: int | str, source: Path, name: str = NAME) -> Path:
    """Puts the model of `source` into the repository as a further version, complete from one moment to the next."""
    staging = root / ".staging" / f"{name}-{version}"
    shutil.copytree(source, staging)
    target = root / name / str(version)
    target.parent.mkdir(parents=True, exist_ok=True)
    return staging.rename(target)


def change(version: Path, **fields: object) -> None:
    """Changes fields of a version's manifest."""
    manifest = version / MANIFEST
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), **fields}))


async def read(client: httpx.AsyncClient, image: bytes) -> tuple[int, str, Texts]:
    """Status, the model that read the image, and the text of its lines."""
    answer = await client.post(URL, content=image, headers={"content-type": "image/jpeg"})
    if answer.status_code != 200:
        return answer.status_code, answer.text, ()
    (page,) = answer.json()["predictions"]
    return 200, page["model"], tuple(line["text"] for line in page["lines"])


def texts(folder: Path, version: str, root: Path) -> list[Texts]:
    """What the version reads in each of IMAGES, served alone."""
    flags = ("--model_dir", str(root), "--bundle", NAME, "--bundle_version", version)
    with services.all_in_one(folder / f"alone-{version}.log", *flags) as service, Client(service.url) as client:
        return [
            tuple(line.text for line in client.read(image.read_bytes(), text_det_limit_side_len=SIDE).lines)
            for image in IMAGES
        ]


@dataclass
class Readers:
    """Clients that read IMAGES in turn until they are stopped, and what they saw."""

    url: str
    known: dict[str, list[Texts]]
    seconds: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    by_model: dict[str, int] = field(default_factory=dict)
    seen: asyncio.Condition = field(default_factory=asyncio.Condition)
    stopping: bool = False

    async def one(self) -> None:
        async with httpx.AsyncClient(base_url=self.url, timeout=60) as client:
            while not self.stopping:
                for number, image in enumerate(IMAGES):
                    began = time.monotonic()
                    status, model, lines = await read(client, image.read_bytes())
                    self.seconds.append(time.monotonic() - began)
                    if status != 200:
                        self.failed.append(f"{status} {model}")
                    elif lines != self.known[model][number]:
                        self.failed.append(f"{image.name} read by {model} is not what it reads: {lines[:3]}")
                    async with self.seen:
                        self.by_model[model] = self.by_model.get(model, 0) + 1
                        self.seen.notify_all()

    async def until(self, model: str) -> None:
        """Until a further answer came from `model`."""
        before = self.by_model.get(model, 0)
        async with asyncio.timeout(60), self.seen:
            await self.seen.wait_for(lambda: self.by_model.get(model, 0) > before)


def quantile(seconds: Sequence[float], share: float) -> float:
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
