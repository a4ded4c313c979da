"""Which KServe models a predictor has: one for each network of the versions in memory."""

from __future__ import annotations

from kserve.model_repository import ModelRepository

from ppocr.contract import Predictor
from predictor.ocr_model import OcrModel
from predictor.versions import Versions


class NetworkModels:
    """Keeps `registry` in step with `versions`: a network that is new in a version answers as soon as the version serves."""

    def __init__(self, registry: ModelRepository, versions: Versions, predictor: Predictor) -> None:
        self._registry = registry
        self._versions = versions
        self._predictor = predictor
        versions.follow(self._update)

    def _update(self) -> None:
        networks = self._versions.networks()
        if not networks:
            return  # the models stay, and answer that nothing is loaded
        for name, network in networks.items():
            model = self._registry.get_model(name)
            if model is None:
                self._registry.update(OcrModel(network, self._predictor))
            else:
                model.network = network
        for name in set(self._registry.get_models()) - set(networks):
            self._registry.unload(name)
