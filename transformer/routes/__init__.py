"""One file per wire format (adapter.py says what it holds), and the page.

A new format is a new file here and its line in `formats_of`. Where two formats share a path, the first that takes a request
parses it. served.py chooses what a service answers, and on which ports.
"""

from __future__ import annotations

from typing import Final

from transformer.routes.adapter import Adapter
from transformer.routes.hubserving import HubServing
from transformer.routes.multipart import Multipart
from transformer.routes.nim import Nim
from transformer.routes.paddlex import PaddleX
from transformer.routes.pdserving import Pipeline
from transformer.routes.raw import Raw
from transformer.routes.v1 import V1
from transformer.routes.v2 import V2
from transformer.routes.web_service import WebService
from transformer.settings import FormatSettings


def formats_of(settings: FormatSettings) -> tuple[Adapter, ...]:
    """Every format, as these settings have it."""
    pipeline, web = Pipeline(settings.pdserving_name, settings.pdserving_answer), WebService(settings.pdserving_name)
    return (V1(), Raw(), Multipart(), V2(), pipeline, web, HubServing(), PaddleX(), Nim())


#: Every format as it is by default.
FORMATS: Final = formats_of(FormatSettings())
