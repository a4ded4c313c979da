"""One file a kind: its `KINDS` has the kind, or a few variants of it."""

from __future__ import annotations

import importlib
import pkgutil

from bench.text.case import Kind


def kinds() -> list[Kind]:
    """The kinds of all files here: each has one or more in `KINDS`."""
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    return [kind for module in modules for kind in module.KINDS]
