"""One file per wire format (adapter.py says what it holds), and the page.

A new format is a new file here and its line in `FORMATS`. Where two formats share a path, the first that takes a request
parses it.
"""

from __future__ import annotations

from transformer.routes.adapter import Adapter
from transformer.routes.multipart import Multipart
from transformer.routes.raw import Raw
from transformer.routes.v1 import V1
from transformer.routes.v2 import V2

FORMATS: tuple[Adapter, ...] = (V1(), Raw(), Multipart(), V2())
