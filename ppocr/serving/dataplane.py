"""KServe's data plane with correct readiness, and without a second readiness check for each inference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from kserve.errors import ModelNotFound, ModelNotReady
from kserve.model import InferenceModel
from kserve.model_repository import ModelRepository
from kserve.protocol.dataplane import DataPlane

from ppocr import __version__
from ppocr_api.errors import NotFound


class TrueDataPlane(DataPlane):  # type: ignore[misc]
    """Ready when all models are and the server isn't draining."""

    def __init__(self, model_registry: ModelRepository, draining: Callable[[], bool]) -> None:
        super().__init__(model_registry=model_registry)
        self._draining = draining
        self.alive: Callable[[], bool] = lambda: True
        #: Those of V2 that are served, by their names.
        self.extensions: Sequence[str] = ()
        self._server_name = "ppocr-serving"
        self._server_version = __version__

    def get_model_from_registry(self, name: str) -> Any:
        """Raises NotFound, which names the models that there are."""
        try:
            return super().get_model_from_registry(name)
        except ModelNotFound as error:
            there = self.names
            right = {"model_name": there[0]} if there else {}
            raise NotFound(
                f"no model is called {name[:100]!r}; served are: {', '.join(there) or 'none'}", right
            ) from error

    @property
    def names(self) -> list[str]:
        """The models that are served."""
        return sorted(self._model_registry.get_models())

    async def live(self) -> dict[str, str]:
        return {"status": "alive" if self.alive() else "hung"}

    def metadata(self) -> dict[str, Any]:
        return {"name": self._server_name, "version": self._server_version, "extensions": list(self.extensions)}

    async def ready(self) -> bool:
        if self._draining():
            return False
        models = self._model_registry.get_models()
        return bool(models) and all([await model.healthy() for model in models.values()])

    async def model_ready(self, model_name: str, disable_predictor_health_check: bool = False) -> bool:
        model = self.get_model_from_registry(model_name)
        if disable_predictor_health_check:  # an inference: it will notice by itself
            return True
        return not self._draining() and bool(await model.healthy())

    async def check_version(self, model_name: str, version: str) -> None:
        """Raises NotFound if the model has no such version in memory; "" is the one that serves."""
        check = getattr(self.get_model_from_registry(model_name), "check_version", None)
        if version and check is not None:
            await check(version)

    async def model_metadata(self, model_name: str, version: str = "") -> dict[str, Any]:
        """Name, platform, versions, inputs and outputs, of a version that is there."""
        await self.check_version(model_name, version)
        known = cast(dict[str, Any], await super().model_metadata(model_name))
        versions = getattr(self.get_model_from_registry(model_name), "versions", None)
        there = [version] if version or versions is None else await versions()
        return {**known, "platform": "ppocr", "versions": [each for each in there if each]}

    async def model_parameters(self, model_name: str, version: str) -> dict[str, str]:
        """What a model says of itself beyond its tensors."""
        parameters = getattr(self.get_model_from_registry(model_name), "metadata_parameters", None)
        return {} if parameters is None else cast(dict[str, str], await parameters(version))

    async def infer(
        self, model_name: str | None, request: Any, headers: Mapping[str, str] | None = None
    ) -> tuple[Any, dict[str, str]]:
        """Calls the model of that name; None stands for the only one there is."""
        if model_name is None:
            (model_name,) = self._model_registry.get_models()
        model = cast(InferenceModel, self.get_model_from_registry(model_name))
        if not isinstance(model, InferenceModel):
            raise ModelNotReady(model_name)
        response, response_headers = await model(request, headers=headers)
        return response, response_headers
