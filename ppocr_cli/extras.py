"""Error messages for missing libraries, which come with an extra of the distribution."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ppocr_api.errors import ConfigError

_OWN = (
    "ppocr",
    "ppocr_api",
    "ppocr_client",
    "ppocr_local",
    "ppocr_convert",
    "ppocr_rollout",
    "ppocr_capacity",
    "ppocr_tracing",
    "predictor",
    "transformer",
)


@contextmanager
def extra(name: str, doing: str) -> Iterator[None]:
    """Around imports that `doing` needs: a library that is missing becomes a ConfigError which names the extra."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in _OWN:
            raise
        raise ConfigError(f"{doing} needs {error.name}: pip install 'ppocr-serving[{name}]'") from error
