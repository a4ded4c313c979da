"""The V2 model repository extension: index, load and unload, over REST and gRPC, as Triton's clients speak it.

The model that is loaded and unloaded is the bundle, by its name: the networks of a version belong together and change
together. The parameter `version` names one of its versions. Without it, the highest or the pinned version is loaded, and
all versions in memory are unloaded. Triton's own way of naming a version works too: a parameter `config` with
{"version_policy": {"specific": {"versions": [2]}}}.

KServe's SDK has only load and unload with a boolean result, without versions and without an index, so it isn't used.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import Request, Response

from ppocr import oip
from ppocr.serving.declaration import Body, Declaration, Path
from ppocr.serving.json_body import member, parse_json
from ppocr.serving.routing import Endpoints
from ppocr_api.errors import InvalidRequest
from ppocr_grpc.methods import GrpcMethod
from predictor.repository.repository import BundleRepository, Indexed

_MODEL = "/v2/repository/models/{model_name}"
_VERSION = Body(
    "application/json",
    {
        "type": "object",
        "properties": {
            "parameters": {
                "type": "object",
                "properties": {"version": {"type": "string"}, "config": {"type": "string", "description": "JSON"}},
            }
        },
    },
    {"parameters": {"version": "2"}},
)
_READY_ONLY = Body(
    "application/json", {"type": "object", "properties": {"ready": {"type": "boolean"}}}, {"ready": True}
)
_INDEX_TEXT = "every version in the repository with its state, and the reason"
_LOAD_TEXT = "load a version, and serve it from now on"
_UNLOAD_TEXT = "take a version out of memory, or all"

DECLARATION = Declaration(
    "repository",
    "V2's model repository extension, in the form of Triton's clients. The model is the bundle, by its name.",
    paths=(
        Path("/v2/repository/index", _INDEX_TEXT, ("POST",), (_READY_ONLY,)),
        Path(f"{_MODEL}/load", _LOAD_TEXT, ("POST",), (_VERSION,)),
        Path(f"{_MODEL}/unload", _UNLOAD_TEXT, ("POST",), (_VERSION,)),
    ),
    grpc=tuple(
        GrpcMethod(oip.SERVICE, method, text, *oip.METHODS[method])
        for method, text in (
            ("RepositoryIndex", _INDEX_TEXT),
            ("RepositoryModelLoad", _LOAD_TEXT),
            ("RepositoryModelUnload", _UNLOAD_TEXT),
        )
    ),
    extensions=("model_repository",),
)


class RepositoryApi:
    """The handlers of the extension. The servers get them as `endpoints`."""

    def __init__(self, repository: BundleRepository) -> None:
        self._repository = repository

    @property
    def endpoints(self) -> Endpoints:
        """The extension over both protocols."""
        return Endpoints(
            DECLARATION,
            {
                "/v2/repository/index": self._rest_index,
                f"{_MODEL}/load": self._rest_load,
                f"{_MODEL}/unload": self._rest_unload,
            },
            {
                "RepositoryIndex": self._grpc_index,
                "RepositoryModelLoad": self._grpc_load,
                "RepositoryModelUnload": self._grpc_unload,
            },
        )

    async def _index(self, ready: bool) -> list[Indexed]:
        return [each for each in await self._repository.index() if not ready or each.state == "READY"]

    async def _rest_index(self, request: Request) -> Response:
        index = await self._index(member(await _body(request), "ready", bool, False))
        return _json([dataclasses.asdict(each) for each in index])

    async def _rest_load(self, request: Request, model_name: str) -> Response:
        facts = await self._repository.load(
            model_name, version_of(member(await _body(request), "parameters", dict, {}))
        )
        return _json({"name": facts.name, "version": facts.version, "load": True})

    async def _rest_unload(self, request: Request, model_name: str) -> Response:
        await self._repository.unload(model_name, version_of(member(await _body(request), "parameters", dict, {})))
        return _json({"name": model_name, "unload": True})

    async def _grpc_index(self, request: Any) -> Any:
        answer = oip.RepositoryIndexResponse()
        for each in await self._index(request.ready):
            answer.models.add(**dataclasses.asdict(each))
        return answer

    async def _grpc_load(self, request: Any) -> Any:
        await self._repository.load(_name(request), version_of(_grpc_parameters(request)))
        return oip.RepositoryModelLoadResponse()

    async def _grpc_unload(self, request: Any) -> Any:
        await self._repository.unload(_name(request), version_of(_grpc_parameters(request)))
        return oip.RepositoryModelUnloadResponse()


def version_of(parameters: Mapping[str, Any]) -> str:
    """The version that the parameters name, "" if they name none. Raises InvalidRequest.

    Unknown parameters are refused. Triton's `unload_dependents` is allowed, and has no effect: nothing depends on a bundle.
    """
    unknown = sorted(set(parameters) - {"version", "config", "unload_dependents"})
    if unknown:
        raise InvalidRequest(
            f"the parameter {unknown[0]!r} is unknown; the known ones are 'version', and 'config' with a version_policy. Files "
            "can't be sent: put them into the repository"
        )
    return _text(parameters.get("version", "")) or _version_of_config(parameters.get("config"))


def _text(version: Any) -> str:
    if isinstance(version, bool) or not isinstance(version, str | int):
        raise InvalidRequest(f"the parameter 'version' must be text or a whole number, not {version!r}")
    return str(version)


def _version_of_config(config: Any) -> str:
    if config is None:
        return ""
    known = parse_json(config.encode(), "the parameter 'config'") if isinstance(config, str) else config
    match known:
        case {"version_policy": {"specific": {"versions": [version]}}}:
            return _text(version)
        case {"version_policy": {"latest": _}}:
            return ""
        case dict() if "version_policy" not in known:
            return ""
    raise InvalidRequest(
        "the parameter 'config' must be a JSON object whose version_policy is latest, or specific with one version: "
        '{"version_policy": {"specific": {"versions": [2]}}}'
    )


async def _body(request: Request) -> dict[str, Any]:
    raw = await request.body()
    body = parse_json(raw) if raw.strip() else {}
    if not isinstance(body, dict):
        raise InvalidRequest("the request must be a JSON object, or empty")
    return body


def _name(request: Any) -> str:
    """The model's name. KServe's message has it in the field in which Triton's has the repository's name."""
    name: str = request.model_name or request.repository_name
    return name


def _grpc_parameters(request: Any) -> dict[str, Any]:
    return {
        key: getattr(value, choice)
        for key, value in request.parameters.items()
        if (choice := value.WhichOneof("parameter_choice")) is not None
    }


def _json(content: Any) -> Response:
    return Response(orjson.dumps(content), media_type="application/json")
