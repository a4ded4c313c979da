"""A service whose model fails on request: `python -m tests.ppocr.serving.broken --http_port P --grpc_port Q`."""

from __future__ import annotations

import asyncio
from typing import Any

from ppocr import telemetry
from ppocr.listen import ListenSettings
from ppocr.serving.light_import import import_kserve
from ppocr.serving.options import grpc_options, lifecycle, rest_options
from ppocr_api import errors
from ppocr_limits.budget import Budget
from ppocr_limits.memory import for_requests
from ppocr_settings.settings import load

import_kserve()

from kserve import Model  # noqa: E402

from ppocr.serving.server import OcrServer  # noqa: E402
from ppocr.serving.tensor_format import TensorFormat  # noqa: E402


class Broken(Model):  # type: ignore[misc]
    """Raises what the request's id names; a KeyError where it names nothing of ours."""

    def __init__(self) -> None:
        super().__init__("broken")
        self.ready = True

    async def healthy(self) -> bool:
        return True

    async def predict(self, payload: Any, headers: Any = None, response_headers: Any = None) -> Any:
        kind, _, seconds = payload.id.partition(" ")
        if not hasattr(errors, kind):
            raise KeyError("of the inside")
        raise getattr(errors, kind)("said to the caller", *([float(seconds)] if seconds else []))


async def main() -> None:
    settings = load(ListenSettings)
    telemetry.configure_logging("info", "text")
    formats = (TensorFormat(),)
    budget = Budget(for_requests(settings.request_memory_bytes))
    server = OcrServer(
        rest_options(settings, budget, formats), grpc_options(settings, budget, formats), lifecycle(settings)
    )

    async def close() -> None:
        """Nothing is open."""

    await server.serve([Broken()], close=close)


if __name__ == "__main__":
    asyncio.run(main())
