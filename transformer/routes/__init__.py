"""One file per wire format (adapter.py describes it), and the web page.

A new format is a new file here and a line in `formats_of`. If two formats share a path, the first whose `takes` returns
True parses the request. served.py selects the formats and ports of a service.
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
    """All formats, configured by these settings."""
    pipeline, web = Pipeline(settings.pdserving_name, settings.pdserving_answer), WebService(settings.pdserving_name)
    return (V1(), Raw(), Multipart(), V2(), pipeline, web, HubServing(), PaddleX(), Nim())


#: All formats with default settings.
FORMATS: Final = formats_of(FormatSettings())
