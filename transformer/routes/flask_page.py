"""An error as a page of HTML, as the retired servers' framework made it for what none of their own code answered."""

from __future__ import annotations

import html
from http import HTTPStatus

from ppocr.serving.status import http_answer
from ppocr.serving.wire import WireAnswer
from ppocr_api.errors import PpocrError


def flask_page(error: PpocrError, status: int) -> WireAnswer:
    """`error` under `status`."""
    title = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Error"
    body = (
        f"<!doctype html>\n<html lang=en>\n<title>{status} {title}</title>\n<h1>{title}</h1>\n"
        f"<p>{html.escape(error.message)}</p>\n"
    )
    _, _, headers = http_answer(error)
    return WireAnswer(body.encode(), status, {"content-type": "text/html; charset=utf-8", **headers}, error=error)
