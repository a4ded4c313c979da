"""Imports KServe's SDK without pandas, which takes a third of the time until a service is ready.

The SDK needs pandas only for data frames (`InferRequest.as_dataframe` and helpers of sklearn servers), which nothing here
uses. While it is imported, an empty stand-in answers for pandas; a later import of pandas gets the real one.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType


def import_kserve() -> None:
    """Call before anything else imports kserve; does nothing where pandas or kserve is imported already."""
    if "pandas" in sys.modules or "kserve" in sys.modules:
        return
    stand_in = ModuleType("pandas")
    stand_in.DataFrame = type("DataFrame", (), {})  # type: ignore[attr-defined]
    sys.modules["pandas"] = stand_in
    try:
        importlib.import_module("kserve")
    finally:
        del sys.modules["pandas"]
