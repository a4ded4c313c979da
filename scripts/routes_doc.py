#!/usr/bin/env python3
"""Writes the tables of routes in docs/api.md from the declarations. A test fails when they are behind."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ppocr.serving import management
from ppocr.serving.declaration import Declaration
from transformer.routes import FORMATS
from transformer.routes.endpoints import DECLARATIONS
from transformer.routes.page import page
from transformer.triton import routes as triton

#: Routes beside the formats.
OTHERS = (triton.DECLARATION, management.HEALTH, management.REFLECTION, *DECLARATIONS, page().declaration)
PAGE = Path(__file__).parent.parent / "docs" / "api.md"
BEGIN = "<!-- written by scripts/routes_doc.py -->\n"
END = "<!-- end of what scripts/routes_doc.py writes -->\n"


def rewritten(text: str) -> str:
    """The page `text` with the tables as they should be."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{tables()}{END}{after}"


def tables() -> str:
    """What each call is, and what each format is."""
    formats = [each.declaration for each in FORMATS]
    calls = [row for each in (*formats, management.DECLARATION, *OTHERS) for row in _calls(each)]
    return "\n".join(
        [
            *("| call | format | what it is |", "|---|---|---|", *calls, ""),
            *("| format | bodies | |", "|---|---|---|", *(_format(each) for each in formats), ""),
        ]
    )


def _calls(declared: Declaration) -> Iterable[str]:
    name = declared.name if declared in [each.declaration for each in FORMATS] else ""
    for path in declared.paths:
        # As a reader would type it; the model's name is a setting.
        shown = path.path.replace("{model_name}", "ppocr").replace("{model_version}", "{version}")
        yield f"| `{' '.join([*path.methods, shown])}` | {name} | {path.summary} |"
    for method in declared.grpc:
        yield f"| gRPC `{method.service}/{method.method}` | {name} | {method.summary} |"


def _format(declared: Declaration) -> str:
    bodies = ", ".join(f"`{content_type}`" for content_type in declared.content_types)
    return f"| {declared.name} | {bodies} | {declared.text} |"


if __name__ == "__main__":
    PAGE.write_text(rewritten(PAGE.read_text()))
