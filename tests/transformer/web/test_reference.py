"""The page at `GET /docs`: made of the declarations, without anything from elsewhere."""

from __future__ import annotations

import re

from ppocr.serving.declaration import Body, Declaration, Path
from transformer.routes import FORMATS
from transformer.routes.endpoints import DECLARATIONS
from transformer.web import reference

DECLARED = [each.declaration for each in FORMATS]
PAGE = reference.page(DECLARED, "my-model").decode()


def test_every_route_has_its_article() -> None:
    for declared in DECLARED:
        assert f'<section id="{declared.name}">' in PAGE
        for path in declared.paths:
            shown = path.path.replace("{model_name}", "my-model")
            assert f"<b>{' '.join(path.methods)}</b> <code>{shown}</code>" in PAGE
        for method in declared.grpc:
            assert f"<code>{method.service}/{method.method}</code>" in PAGE


def test_every_route_has_an_example_and_a_command() -> None:
    for declared in (*DECLARED, *DECLARATIONS):
        for path in (each for each in declared.paths if each.listed):
            for body in (*path.bodies, *path.answers):
                assert body.content_type != "application/json" or body.example is not None, path.path
            assert not path.bodies or path.line or any(body.example is not None for body in path.bodies), path.path


def test_it_has_no_script_and_loads_nothing_from_elsewhere() -> None:
    assert "<script" not in PAGE and "style=" not in PAGE and " on" + "click" not in PAGE
    assert [link for link in re.findall(r'(?:src|href)="([^"]*)"', PAGE) if "//" in link] == []


def test_what_declarations_say_is_text() -> None:
    body = Body("application/json", {"type": "object", "properties": {"<i>": {}}}, {"a": "<script>" + "x" * 100})
    declared = Declaration("x", "a <b> and `<code>`", (Path("/x", "<u>", ("POST",), (body,)),))
    page = reference.page([declared], "m").decode()
    assert "<script>" not in page and "<b> and" not in page and "<u>" not in page and "<i>" not in page
    assert "<code>&lt;code&gt;</code>" in page
    assert "x" * 100 not in page
