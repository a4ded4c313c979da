#!/usr/bin/env python3
"""Writes docs/settings.md from the settings classes: `scripts/settings_doc.py`. A test fails when the page is behind."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from ppocr.listen import ListenSettings, MemorySettings, MessageSettings, PageSettings
from ppocr_local.service import ServeSettings
from ppocr_settings.settings import PREFIX
from predictor.settings import NetworkSettings, PredictorSettings
from transformer.settings import FormatSettings, ReaderSettings, TransformerSettings, WebSettings

PAGE = Path(__file__).parent.parent / "docs" / "settings.md"
HEAD = """\
# Settings
All settings of the services. Each is a flag (`--http_port 9000`, dashes work too) and an environment variable
(`PPOCR_HTTP_PORT=9000`). A flag overrides the variable. The headings say which service has the settings of a group.

- A wrong value or an unknown flag ends the start with an error message, which suggests the most similar flag. Numbers
  must be finite.
- A variable that looks like a misspelt setting is only reported on standard error, because both services may share a
  list of variables, and Kubernetes adds `PPOCR_…` variables if a Service is called ppocr.
- Flags that KServe gives every model server, such as `--workers`, are accepted. Those without an effect here are reported at
  the start.

This page is written by `scripts/settings_doc.py`.
"""


def page() -> str:
    shared = {
        field.name
        for group in (ListenSettings, WebSettings, ReaderSettings, FormatSettings, NetworkSettings, MessageSettings)
        for field in dataclasses.fields(group)
    }
    common = {field.name for group in (MemorySettings, PageSettings) for field in dataclasses.fields(group)}
    parts = [
        HEAD,
        _table("Every service", ListenSettings),
        _table("Page size: every service, with the same value in all", PageSettings),
        _table("Web pages and gateways: `ppocr serve`, `python -m transformer`", WebSettings),
        _table("Reading images: `ppocr serve`, `python -m transformer`", ReaderSettings, common),
        _table("Wire formats, their ports and reports: `ppocr serve`, `python -m transformer`", FormatSettings),
        _table("The networks: `ppocr serve`, `python -m predictor`", NetworkSettings, common),
        _table("Between transformer and predictor: `python -m transformer`, `python -m predictor`", MessageSettings),
        _table("Only `python -m transformer`", TransformerSettings, shared),
        _table("Only `python -m predictor`", PredictorSettings, shared),
        _table("Only `ppocr serve`", ServeSettings, shared - {"host"}),
    ]
    return "\n".join(parts)


def _table(title: str, cls: type[Any], without: set[str] = frozenset()) -> str:  # type: ignore[assignment]
    rows = [
        f"| `--{field.name}` | `{PREFIX}{field.name.upper()}` | {_default(field.default)} | {_meaning(field)} |"
        for field in dataclasses.fields(cls)
        if field.name not in without
    ]
    return "\n".join([f"## {title}", "| flag | variable | default | meaning |", "|---|---|---|---|", *rows, ""])


def _default(value: Any) -> str:
    return "" if value in ("", None) else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _meaning(field: dataclasses.Field[Any]) -> str:
    choices = field.metadata.get("choices")
    return field.metadata["help"] + (f" One of {', '.join(f'`{choice}`' for choice in choices)}." if choices else "")


if __name__ == "__main__":
    PAGE.write_text(page())
