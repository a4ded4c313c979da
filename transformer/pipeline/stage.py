"""The interface of a stage, and whether a bundle has the networks for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from ppocr.contract import BundleFacts
from ppocr_api.errors import InvalidRequest
from transformer.parameters import Parameters
from transformer.pipeline.networks import Networks
from transformer.pipeline.page import PageInWork

#: The bundle that comes with the package has a network for every stage.
COMPLETE_BUNDLE = "ppocrv6-small"


class Stage(Protocol):
    """One step of the pipeline."""

    @property
    def task(self) -> str | None:
        """The task of the network that it needs; None if it needs none."""

    @property
    def parameter(self) -> str | None:
        """The request parameter that switches it on; None if every request runs it."""

    async def run(self, page: PageInWork, networks: Networks) -> None:
        """Adds its results to `page`. Raises errors of `ppocr_api.errors`."""


def is_asked_for(stage: Stage, parameters: Parameters) -> bool:
    """Whether a request with these parameters runs the stage."""
    return stage.parameter is None or bool(getattr(parameters, stage.parameter))


def check_bundle(stages: Iterable[Stage], facts: BundleFacts) -> None:
    """Raises InvalidRequest if the bundle lacks a network that a stage needs."""
    for stage in stages:
        if stage.task is not None and facts.of_task(stage.task) is None:
            what = f"the parameter {stage.parameter} needs" if stage.parameter else "reading needs"
            raise InvalidRequest(
                f"{what} a network for the task {stage.task}, and the bundle {facts.label} has none; {COMPLETE_BUNDLE}, which "
                "comes with the package, has one, and docs/models.md says how to add one to a bundle"
            )
