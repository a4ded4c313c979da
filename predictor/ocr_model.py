"""A network as a KServe model: V2 tensors in and out, in the forms of ppocr/network_wire.py."""

from __future__ import annotations

from typing import Any

from kserve import Model

from ppocr.contract import FACTS_PARAMETER, IDENTITY_PARAMETER, SHARE_PARAMETER, BundleFacts, NetworkFacts, Predictor
from ppocr.facts_json import facts_to_json
from ppocr.serving.tensors import TensorRequest, TensorResponse
from ppocr_api.errors import NotFound
from predictor import network_tensors


class OcrModel(Model):  # type: ignore[misc]
    """The network `network.name` of whichever version a request asks for. `network` is replaced when versions change."""

    def __init__(self, network: NetworkFacts, predictor: Predictor) -> None:
        super().__init__(network.name)
        self.network = network
        self.enable_latency_logging = False
        self.ready = True
        self._predictor = predictor

    async def healthy(self) -> bool:
        """True when a prediction would be accepted now."""
        return await self._predictor.ready()

    async def predict(
        self, payload: TensorRequest, headers: dict[str, str] | None = None, response_headers: Any = None
    ) -> TensorResponse:
        facts, network = await self._of(payload.model_version)
        items = network_tensors.items_of(network, payload)
        share = payload.parameters.get(SHARE_PARAMETER)
        answer = await self._predictor.run(
            network.name,
            items,
            version=facts.identity,
            deadline=payload.call.deadline,
            share=share if isinstance(share, str) else "",
        )
        return TensorResponse(
            payload.model_name,
            network_tensors.outputs_of(network, payload, items, answer),
            model_version=facts.version,
            id=payload.id,
            parameters={IDENTITY_PARAMETER: answer.version},
        )

    async def check_version(self, version: str) -> None:
        """Raises NotFound if `version` isn't in memory, or lacks this network."""
        await self._of(version)

    async def versions(self) -> list[str]:
        """The version that serves."""
        return [(await self._predictor.facts()).version]

    async def metadata_parameters(self, version: str) -> dict[str, str]:
        """What ModelMetadata carries beyond the tensors: the facts of `version`, or of the one that serves."""
        facts, _ = await self._of(version)
        return {FACTS_PARAMETER: facts_to_json(facts)}

    def get_input_types(self) -> list[dict[str, Any]]:
        return network_tensors.metadata(self.network)[0]

    def get_output_types(self) -> list[dict[str, Any]]:
        return network_tensors.metadata(self.network)[1]

    async def _of(self, version: str) -> tuple[BundleFacts, NetworkFacts]:
        """The version of that name, or the one that serves, and this network in it. Raises NotFound."""
        facts = await self._predictor.facts(version or None)
        network = facts.network(self.name)
        if network is None:
            raise NotFound(f"{facts.label} has no network {self.name!r}")
        return facts, network
