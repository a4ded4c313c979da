"""The report as HTML, and if it stands in Locust's own pages: the file of `--html`, and the page on port 8089."""

from __future__ import annotations

import html
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from loadtest.report import Report

#: How long the page's figures stay as they are [seconds]: for those by stage the service is asked each time.
_FRESH = 2.0
#: Key of a tab → its title.
_TABS = {"ppocr-protocols": "Protocols", "ppocr-tracks": "Tracks and versions", "ppocr-stages": "Stages"}
_STYLE = (
    "section.ppocr {font: 14px sans-serif; margin: 2em 5%} .ppocr td, .ppocr th {padding: .2em 1em; text-align: right}"
)


def section(report: Report) -> str:
    """The tables of a report."""
    tables = "\n".join(
        f"<h2>{html.escape(title)}</h2>\n{_table(report.tables()[key])}" for key, title in _titles(report)
    )
    return f'<style>{_STYLE}</style>\n<section class="ppocr"><p>{html.escape(report.rates)}</p>\n{tables}\n</section>'


def with_section(page: str, report: Report) -> str:
    """Locust's page of a run with the tables below its own."""
    before, body, after = page.rpartition("</body>")
    return f"{before}{section(report)}\n{body}{after}" if body else f"{page}{section(report)}"


def extend(web_ui: Any, current: Callable[[], Report]) -> None:
    """Adds tabs to Locust's page, and the tables to the report that can be loaded from it."""
    from flask import request

    shown: tuple[float, Report] | None = None

    def now() -> Report:
        nonlocal shown
        if shown is None or time.monotonic() - shown[0] > _FRESH:
            shown = time.monotonic(), current()
        return shown[1]

    empty = Report.nothing().tables()
    web_ui.template_args["extended_tabs"] = [{"key": key, "title": title} for key, title in _TABS.items()]
    web_ui.template_args["extended_tables"] = [
        {"key": key, "structure": [{"key": name, "title": name} for name in empty[key][0]]} for key in _TABS
    ]

    def extended(response: Any) -> Any:
        if request.path == "/stats/requests":
            tables = now().tables()
            data = [{"key": key, "data": _records(tables[key])} for key in _TABS]
            response.set_data(json.dumps({**response.json, "extended_stats": data}))
        elif request.path == "/stats/report":
            response.direct_passthrough = False
            response.set_data(with_section(response.get_data(as_text=True), now()))
        return response

    web_ui.app.after_request(extended)


def _titles(report: Report) -> list[tuple[str, str]]:
    return [(key, title) for key, title in _TABS.items() if len(report.tables()[key]) > 1]


def _records(table: Sequence[tuple[str, ...]]) -> list[dict[str, str]]:
    return [dict(zip(table[0], row, strict=True)) for row in table[1:]]


def _table(table: Sequence[tuple[str, ...]]) -> str:
    rows = [
        "".join(f"<{kind}>{html.escape(cell)}</{kind}>" for cell in row)
        for kind, row in zip(["th"] + ["td"] * len(table), table, strict=False)
    ]
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"
