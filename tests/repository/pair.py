"""A predictor whose repository is open, and the transformer in front of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.services import Service
from tests.two_models import IMAGES, NAME, URL

JPEG = {"content-type": "image/jpeg"}


@dataclass(frozen=True)
class Pair:
    """A predictor whose repository is open, with version 1 (v6) in memory and 2 (v4) on disk, and its transformer."""

    predictor: Service
    transformer: Service
    root: Path

    def load(self, version: str, name: str = NAME) -> httpx.Response:
        body = {"parameters": {"version": version}}
        return httpx.post(f"{self.predictor.url}/v2/repository/models/{name}/load", json=body, timeout=60)

    def index(self) -> dict[str, dict[str, str]]:
        answer = httpx.post(f"{self.predictor.url}/v2/repository/index", timeout=60).raise_for_status()
        return {f"{each['name']}/{each['version']}": each for each in answer.json()}

    def metric(self, line: str) -> float:
        for each in httpx.get(f"{self.predictor.url}/metrics").text.splitlines():
            if each.startswith(f"{line} "):
                return float(each.rpartition(" ")[2])
        return 0.0

    def reads_with(self) -> str:
        """The model that reads an image now."""
        answer = httpx.post(self.transformer.url + URL, content=IMAGES[0].read_bytes(), headers=JPEG, timeout=60)
        assert answer.status_code == 200, answer.text
        model: str = answer.json()["predictions"][0]["model"]
        return model
