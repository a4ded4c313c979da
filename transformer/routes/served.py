"""The wire formats that a service answers, and additional ports, by its settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ppocr.serving.site import FormatPort
from ppocr_api.errors import ConfigError
from transformer.routes import formats_of, hubserving
from transformer.routes.adapter import Adapter
from transformer.routes.hubserving import HubServing
from transformer.routes.paddlex import PaddleX
from transformer.routes.page import reference_page
from transformer.routes.pdserving import Pipeline
from transformer.routes.web_service import WebService
from transformer.settings import FormatSettings

ALL = "all"
LAST_PORT = 65535


@dataclass(frozen=True)
class Served:
    """`formats` are served on the main ports; `ports` and `grpc_ports` are additional ports."""

    formats: Sequence[Adapter]
    ports: Sequence[FormatPort]
    grpc_ports: Sequence[int]

    @property
    def routes(self) -> frozenset[str]:
        """The names, in metrics, of the routes that read images."""
        every = [*self.formats, *(each for port in self.ports for each in port.formats)]
        paths = {path.path for each in every for path in each.declaration.paths}
        return frozenset(paths | {f"grpc:{method.method}" for each in every for method in each.declaration.grpc})


def served(settings: FormatSettings) -> Served:
    """The formats and ports of `settings`. Raises ConfigError for an unknown format."""
    return Served(_chosen(settings), tuple(_ports(settings)), tuple(filter(None, [settings.pdserving_grpc_port])))


def _chosen(settings: FormatSettings) -> tuple[Adapter, ...]:
    formats = formats_of(settings)
    names = [name.strip() for name in settings.formats.split(",") if name.strip()]
    known = [each.declaration.name for each in formats]
    for name in names:
        if name not in (ALL, *known):
            raise ConfigError(f"unknown wire format {name!r}; formats must be {ALL}, or a list of {', '.join(known)}")
    if not names:
        raise ConfigError(f"formats is empty; it must be {ALL}, or a list of {', '.join(known)}")
    return tuple(each for each in formats if ALL in names or each.declaration.name in names)


def _ports(settings: FormatSettings) -> list[FormatPort]:
    """A dedicated port serves only one format, so it answers like the retired server for any path."""
    opened: list[FormatPort] = []
    if settings.pdserving_port:
        pipeline = Pipeline(settings.pdserving_name, settings.pdserving_answer, alone=True)
        opened.append(FormatPort(settings.pdserving_port, (pipeline,)))
    if settings.web_service_port:
        opened.append(FormatPort(settings.web_service_port, (WebService(settings.pdserving_name),)))
    opened += [FormatPort(port, (HubServing(),), (hubserving.index(),)) for port in _numbers(settings)]
    if settings.paddlex_port:
        paddlex = PaddleX()
        docs = reference_page([paddlex.declaration], alone=True)
        opened.append(FormatPort(settings.paddlex_port, (paddlex,), (docs,)))
    return opened


def _numbers(settings: FormatSettings) -> list[int]:
    texts = [text.strip() for text in settings.hubserving_ports.split(",") if text.strip()]
    if not all(text.isdecimal() and 1 <= int(text[:6]) <= LAST_PORT for text in texts):
        raise ConfigError(f"hubserving_ports must be ports from 1 to {LAST_PORT} with commas between them")
    return [int(text) for text in texts]
