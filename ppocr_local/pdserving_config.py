"""`ppocr serve --pdserving config.yml`: takes settings from the configuration of a PaddleServing pipeline."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from ppocr_api.errors import BundleError, ConfigError
from ppocr_convert import serving
from ppocr_settings.settings import PREFIX


def flags_of(path: Path, environ: Mapping[str, str]) -> list[str]:
    """The flags for the settings in the configuration, without those whose environment variable is set. Prints them to standard
    error, together with the keys that have no effect here and the models to convert. Raises ConfigError."""
    try:
        found = serving.pipeline(path.read_bytes(), path.parent)
    except OSError as error:
        raise ConfigError(f"--pdserving {path} can't be read: {error.strerror or error}") from error
    except BundleError as error:
        raise ConfigError(str(error)) from error
    settings = {name: value for name, value in found.settings.items() if PREFIX + name.upper() not in environ}
    flags = [f"--{name}={value}" for name, value in settings.items()]
    _say(f"{path.name} sets {' '.join(flags) or 'nothing'}")
    for key, why in found.ignored.items():
        _say(f"{path.name}: {key} has no effect here: {why}")
    for part, folder in found.models.items():
        _say(
            f"{path.name}: to serve the model of {part}, convert it: "
            f"ppocr models convert --pdserving {path} BUNDLES; then --model_dir BUNDLES ({folder})"
        )
    return flags


def _say(sentence: str) -> None:
    print(f"ppocr serve: {sentence}", file=sys.stderr)
