"""Settings of every command: frozen dataclasses whose fields are flags and environment variables at once.

A field declared with `setting("help", default)` becomes the flag `--its_name` (dashes work too) and the variable
`PPOCR_ITS_NAME`. A flag beats a variable, a variable beats the default. docs/settings.md has a line for each; a test says so.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ppocr_api.errors import ConfigError

PREFIX = "PPOCR_"
T = TypeVar("T")


def setting(
    help: str,
    default: Any,
    *,
    choices: Sequence[str] | None = None,
    minimum: float | None = None,
    maximum: float | None = None,
) -> Any:
    """A field of a settings class; `help` is one sentence with the unit, and how to choose where that isn't obvious."""
    return dataclasses.field(
        default=default, metadata={"help": help, "choices": choices, "minimum": minimum, "maximum": maximum}
    )


def load(
    cls: type[T],
    argv: Sequence[str] | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    prog: str | None = None,
    description: str | None = None,
    ignore_unknown: bool = False,
) -> T:
    """Reads the settings of `cls` from flags and environment. Wrong ones end the program with a sentence (exit code 2).

    `ignore_unknown` lets flags pass that KServe's controller adds and this service has no use for.
    """
    parser = argparse.ArgumentParser(
        prog=prog, description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter, allow_abbrev=False
    )
    add_flags(parser, cls, os.environ if environ is None else environ)
    namespace = parser.parse_known_args(argv)[0] if ignore_unknown else parser.parse_args(argv)
    try:
        return from_namespace(cls, namespace)
    except ConfigError as error:
        parser.error(str(error))


def add_flags(parser: argparse.ArgumentParser, cls: type[Any], environ: Mapping[str, str]) -> None:
    """Adds one flag a field of `cls` to `parser`; defaults come from `environ`, then from the field."""
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        variable = PREFIX + field.name.upper()
        convert = _converter(hints[field.name], field.name)
        default = field.default
        if variable in environ:
            try:
                default = convert(environ[variable])
            except (ValueError, argparse.ArgumentTypeError) as error:
                parser.error(f"environment variable {variable}: {error}")
            choices = field.metadata.get("choices")
            if choices and default not in choices:
                parser.error(f"environment variable {variable}: {default!r} is none of {', '.join(choices)}")
        names = [f"--{field.name}"]
        if "_" in field.name:
            names.append(f"--{field.name.replace('_', '-')}")
        boolean: dict[str, Any] = {"nargs": "?", "const": True} if hints[field.name] is bool else {}
        parser.add_argument(
            *names,
            dest=field.name,
            type=convert,
            default=default,
            choices=field.metadata.get("choices"),
            help=f"{field.metadata['help'].replace('%', '%%')} [{variable}]",
            metavar=None if field.metadata.get("choices") else _metavar(hints[field.name]),
            **boolean,
        )


def from_namespace(cls: type[T], namespace: argparse.Namespace) -> T:
    """Builds `cls` from parsed flags, and checks the bounds of its numbers."""
    fields = dataclasses.fields(cls)  # type: ignore[arg-type]
    for field in fields:
        value = getattr(namespace, field.name)
        low, high = field.metadata.get("minimum"), field.metadata.get("maximum")
        if value is not None and ((low is not None and value < low) or (high is not None and value > high)):
            bounds = f"at least {low}" if high is None else f"between {low} and {high}"
            raise ConfigError(f"--{field.name} (or {PREFIX}{field.name.upper()}) is {value}, and must be {bounds}")
    return cls(**{field.name: getattr(namespace, field.name) for field in fields})


def _converter(hint: Any, name: str) -> Callable[[str], Any]:
    origin = typing.get_origin(hint)
    if origin is types.UnionType or origin is typing.Union:
        inner = [arg for arg in typing.get_args(hint) if arg is not type(None)]
        convert = _converter(inner[0], name)
        return lambda text: None if text == "" else convert(text)
    if origin is typing.Literal:
        return str
    if hint is bool:
        return _boolean
    if hint in (int, float, str):
        return typing.cast(Callable[[str], Any], hint)
    raise TypeError(f"setting {name} has a type no flag can have: {hint}")


def _boolean(text: str) -> bool:
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off"):
        return False
    raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")


def _metavar(hint: Any) -> str:
    inner = [arg for arg in typing.get_args(hint) if arg is not type(None)]
    text = getattr(inner[0] if inner else hint, "__name__", str(hint))
    return {"int": "N", "float": "X", "str": "TEXT", "bool": "true|false"}.get(text, "TEXT")
