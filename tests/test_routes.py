"""What is declared is served, described in /openapi.json and in docs/api.md; nothing else is served."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from kserve.protocol.grpc import grpc_predict_v2_pb2
from starlette.routing import Route

from ppocr import __version__, oip
from ppocr.serving import management
from ppocr.serving.declaration import Declaration
from ppocr.serving.tensor_format import TensorFormat
from predictor.repository import api as repository_api
from tests.ppocr.serving.toy import servers
from tests.services import Service
from transformer.routes import FORMATS
from transformer.routes.endpoints import DECLARATIONS
from transformer.routes.page import page
from transformer.triton import routes as triton

ROOT = Path(__file__).parent.parent
#: Of the transformer, and of the service in one process.
DECLARED = [
    *(each.declaration for each in FORMATS),
    page().declaration,
    *DECLARATIONS,
    triton.DECLARATION,
    *DECLARATIONS,
    management.DECLARATION,
    management.HEALTH,
    management.REFLECTION,
]
#: Statuses of a POST without a body, where they aren't 400.
EMPTY_POST = {
    "/predict/{module}": 200,
    "/ocr": 422,
    "/ocr/{method}": 200,
    "/ocr/prediction": 200,
    "/{name}/prediction": 200,
    "/v2/repository/index": 200,
}
#: Of the predictor.
PREDICTOR = [TensorFormat().declaration, repository_api.DECLARATION, management.DECLARATION]


def url_of(path: str) -> str:
    """A declared path with its parts named."""
    return path.replace("{model_name}", "ppocr").replace("{model_version}", "1").replace("{module}", "ocr_system")


def paths_of(declared: list[Declaration], *, listed: bool = False) -> dict[str, set[str]]:
    """Path → its methods."""
    found: dict[str, set[str]] = {}
    for path in (path for each in declared for path in each.paths if path.listed or not listed):
        found.setdefault(path.path, set()).update(path.methods)
    return found


@pytest.fixture(scope="module")
def openapi(service: Service) -> Any:
    return httpx.get(f"{service.url}/openapi.json").raise_for_status().json()


def test_every_declared_path_is_served(service: Service) -> None:
    for path, methods in paths_of(DECLARED).items():
        url = service.url + url_of(path)
        for method in methods:
            answer = httpx.request(method, url, timeout=60)
            # A POST without a body, as each format answers what it can't read.
            expected = 200 if method == "GET" else EMPTY_POST.get(path, 400)
            assert answer.status_code == expected, f"{method} {path}: {answer.status_code} {answer.text[:200]}"
        other = httpx.request("PATCH", url, timeout=60)
        assert other.status_code == 405, path
        assert httpx.head(url, timeout=60).status_code == (200 if "GET" in methods else 405), path


def test_nothing_else_is_served(openapi: Any) -> None:
    assert {path: {method.upper() for method in about} for path, about in openapi["paths"].items()} == paths_of(
        DECLARED, listed=True
    )
    _, rest, _ = servers({}, *FORMATS)
    served = {route.path: route.methods for route in rest.app.routes if isinstance(route, Route)}
    of_services = [page().declaration, triton.DECLARATION, *DECLARATIONS]
    assert served == paths_of([each for each in DECLARED if each not in of_services])
    assert len(served) == len(rest.app.routes)


def test_the_description_has_every_body_and_names_the_project(openapi: Any) -> None:
    assert openapi["info"]["title"] == "ppocr-serving"
    assert openapi["info"]["version"] == __version__
    for declared in DECLARED:
        for path in (path for path in declared.paths if path.listed):
            for method in path.methods:
                about = openapi["paths"][path.path][method.lower()]
                assert declared.name in about["tags"]
                content = about["requestBody"]["content"] if path.bodies else {}
                for body in path.bodies:
                    schema = content[body.content_type]["schema"]
                    assert dict(body.schema) in schema.get("anyOf", [schema])
                    assert body.example in [*examples_of(content[body.content_type]), None]
                for answer in path.answers:
                    assert answer.content_type in about["responses"]["200"]["content"]
                named = {parameter["name"] for parameter in about["parameters"] if parameter["in"] == "path"}
                assert path.path.count("{") == len(named)
                assert set(path.query) <= {each["name"] for each in about["parameters"] if each["in"] == "query"}
    assert {tag["name"]: tag["description"] for tag in openapi["tags"]} == {
        each.name: each.text for each in DECLARED if each.paths
    }


def test_every_json_body_is_described_by_its_members() -> None:
    for declared in (*DECLARED, repository_api.DECLARATION):
        for path in declared.paths:
            for body in (body for body in path.bodies if body.content_type == "application/json"):
                assert body.schema.get("properties"), f"{declared.name} {path.path}"
                assert body.example is None or set(body.example) <= set(body.schema["properties"]), path.path


def examples_of(content: Any) -> list[Any]:
    """Of a media type: its one example, or those of the formats that share the path."""
    several = [each["value"] for each in content.get("examples", {}).values()]
    return [content["example"]] if "example" in content else several


def test_the_examples_of_the_description_are_read(service: Service, openapi: Any) -> None:
    tried = 0
    for path, about in openapi["paths"].items():
        url = service.url + url_of(path)
        for content in about.get("post", {}).get("requestBody", {}).get("content", {}).values():
            for example in examples_of(content):
                httpx.post(url, json=example, timeout=60).raise_for_status()
                tried += 1
    declared = [body for each in DECLARED for path in each.paths for body in path.bodies if body.example is not None]
    assert tried == len(declared) >= 3


def test_the_documentation_has_every_route() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "routes_doc.py"))
    text = (ROOT / "docs" / "api.md").read_text()
    assert script["rewritten"](text) == text, "run scripts/routes_doc.py"
    for declared in (*DECLARED, *PREDICTOR):
        for path in declared.paths:
            shown = path.path.replace("{model_name}", "ppocr").replace("{model_version}", "{version}")
            for method in path.methods:
                written = (f"{method} {shown}`", f"{method} {shown.replace('/ppocr/', '/{name}/')}`")
                assert any(each in text for each in written), f"{method} {shown}"
        for method in declared.grpc:
            assert f"{method.method}`" in text


def test_grpc_serves_what_is_declared_and_nothing_else(service: Service) -> None:
    declared = {f"{method.service}/{method.method}" for each in DECLARED for method in each.grpc}
    (known,) = grpc_predict_v2_pb2.DESCRIPTOR.services_by_name.values()
    others = {f"{known.full_name}/{method.name}" for method in known.methods} - declared
    assert f"{oip.SERVICE}/RepositoryModelLoad" in others
    streams = {f"{method.service}/{method.method}" for each in DECLARED for method in each.grpc if method.stream}
    with grpc.insecure_channel(service.grpc) as channel:
        for method in sorted(declared | others | {"grpc.health.v1.Health/Other", "toy.Toy/Say"}):
            call = channel.unary_unary(f"/{method}", lambda message: message, lambda raw: raw)
            try:
                call(b"", timeout=2 if method in streams else 10)
                code = grpc.StatusCode.OK
            except grpc.RpcError as error:
                code = error.code()  # type: ignore[attr-defined]
            assert (code is not grpc.StatusCode.UNIMPLEMENTED) == (method in declared), method
