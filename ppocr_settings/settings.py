"""Settings of every command: frozen dataclasses whose fields are flags and environment variables at once.

A field declared with `setting("help", default)` becomes the flag `--its_name` (dashes work too) and the variable
`PPOCR_ITS_NAME`. A flag beats a variable, a variable beats the default. docs/settings.md has a line for each; a test says so.
"""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import math
import os
import re
import sys
import types
import typing
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from ppocr_api.errors import ConfigError
from ppocr_settings.kserve_flags import KSERVE_FLAGS

PREFIX = "PPOCR_"
#: A name that is this similar to a setting's is taken for a misspelt one (difflib's ratio).
NEARLY_EQUAL = 0.85
#: Characters of a number.
LONGEST_NUMBER = 40
T = TypeVar("T")


def setting(
    help: str,
    default: Any,
    *,
    choices: Sequence[str] | None = None,
    minimum: float | None = None,
    maximum: float | None = None,
) -> Any:
    """A field of a settings class; `help` is one sentence with the unit, and how to choose if that isn't obvious."""
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
    kserve_flags: bool = False,
) -> T:
    """Reads the settings of `cls` from flags and environment. Wrong ones end the program with a sentence (exit code 2).

    `kserve_flags` lets flags pass that KServe gives every model server, and says which of them have no effect here.
    """
    environ = os.environ if environ is None else environ
    parser = argparse.ArgumentParser(
        prog=prog, description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter, allow_abbrev=False
    )
    add_flags(parser, cls, environ)
    own = {field.name for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    ignored = sorted(KSERVE_FLAGS - own) if kserve_flags else []
    for name in ignored:
        parser.add_argument(*_spellings(name), dest=name, nargs="?", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    namespace = parse(parser, argv)
    for name in ignored:
        if name in namespace:
            print(
                f"{parser.prog}: --{name} is a flag of KServe's model servers and has no effect here", file=sys.stderr
            )
    warn_of_misspelt(parser.prog, own, environ)
    try:
        return from_namespace(cls, namespace)
    except ConfigError as error:
        parser.error(str(error))


def parse(
    parser: argparse.ArgumentParser, argv: Sequence[str] | None, *, intermixed: bool = False
) -> argparse.Namespace:
    """Parses `argv`; what is no option ends the program with a sentence that names the nearest one (exit code 2)."""
    namespace, unknown = (parser.parse_known_intermixed_args if intermixed else parser.parse_known_args)(argv)
    unknown = [argument for argument in unknown if argument != "--"]
    if unknown:
        given = unknown[0].partition("=")[0]
        options = re.findall(r"--\w+", parser.format_usage())
        nearest = difflib.get_close_matches(given.replace("-", "_").replace("__", "--", 1), options, 1)
        parser.error(f"unknown option {_shown(given)}{f'; did you mean {nearest[0]}?' if nearest else ''}")
    return namespace


def switches_spelt_out(argv: Sequence[str], *classes: type[Any]) -> list[str]:
    """`--json a.png` as `--json=true a.png`: a switch among arguments without a flag would take the next for its value.

    Only what begins with two dashes is a flag: `json` is a file of that name.
    """
    switches = {
        f"--{field.name}" for cls in classes for field in dataclasses.fields(cls) if field.type in (bool, "bool")
    }
    return [f"{arg}=true" if arg[:2] + arg[2:].replace("-", "_") in switches else arg for arg in argv]


def warn_of_misspelt(prog: str, names: Collection[str], environ: Mapping[str, str]) -> None:
    """Says of each variable that is no setting, and almost the name of one of the settings `names`, what was likely meant.

    It is no error: both services may share a list of variables, and Kubernetes adds some for a Service that is called ppocr.
    """
    known = [name.upper() for name in names]
    for given in sorted(variable.removeprefix(PREFIX) for variable in environ if variable.startswith(PREFIX)):
        if given in known:
            continue
        # One letter more or less: MAX_IMAGE_BYTES and MAX_MESSAGE_BYTES are two settings, and similar enough otherwise.
        alike = [name for name in known if abs(len(name) - len(given)) <= 1]
        for nearest in difflib.get_close_matches(given, alike, 1, NEARLY_EQUAL):
            print(f"{prog}: {PREFIX}{given} is not a setting; did you mean {PREFIX}{nearest}?", file=sys.stderr)


def add_flags(parser: argparse.ArgumentParser, cls: type[Any], environ: Mapping[str, str]) -> None:
    """Adds one flag per field of `cls` to `parser`; defaults come from `environ`, then from the field."""
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        variable = PREFIX + field.name.upper()
        convert = _converter(hints[field.name], field.name)
        default = field.default
        if variable in environ:
            try:
                default = convert(environ[variable])
            except argparse.ArgumentTypeError as error:
                parser.error(f"environment variable {variable}: {error}")
            choices = field.metadata.get("choices")
            if choices and default is not None and default not in choices:
                parser.error(f"environment variable {variable}: {_shown(default)} is none of {', '.join(choices)}")
        boolean: dict[str, Any] = {"nargs": "?", "const": True} if hints[field.name] is bool else {}
        parser.add_argument(
            *_spellings(field.name),
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
    if hint is int:
        return _integer
    if hint is float:
        return _number
    if hint is str:
        return str
    raise TypeError(f"setting {name} has a type no flag can have: {hint}")


def _boolean(text: str) -> bool:
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off"):
        return False
    raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")


def _integer(text: str) -> int:
    try:
        return int(_short(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{_shown(text)} is not a whole number") from None


def _number(text: str) -> float:
    """A finite number: no bound would hold NaN, which is neither below nor above any."""
    try:
        number = float(_short(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{_shown(text)} is not a number") from None
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"{_shown(text)} is not a finite number")
    return number


def _short(text: str) -> str:
    """`text` if it may be a number; Python refuses to convert thousands of digits, and no setting needs a hundred."""
    if len(text) > LONGEST_NUMBER:
        raise argparse.ArgumentTypeError(f"{_shown(text)} has {len(text)} characters, too many for a number")
    return text


def _shown(text: object) -> str:
    """`text` in a sentence, cut if it is long."""
    whole = str(text)
    return repr(whole if len(whole) <= LONGEST_NUMBER else f"{whole[:20]}…")


def _spellings(name: str) -> list[str]:
    """`--its_name`, and with dashes."""
    return sorted({f"--{name}", f"--{name.replace('_', '-')}"}, reverse=True)


def _metavar(hint: Any) -> str:
    inner = [arg for arg in typing.get_args(hint) if arg is not type(None)]
    text = getattr(inner[0] if inner else hint, "__name__", str(hint))
    return {"int": "N", "float": "X", "str": "TEXT", "bool": "true|false"}.get(text, "TEXT")
