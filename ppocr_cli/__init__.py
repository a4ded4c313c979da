"""The `ppocr` command. Each subcommand is a module with `run(argv) -> exit code`, imported on use."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from ppocr import __version__

_COMMANDS = {
    "serve": "runs the service in one process, on this machine",
    "read": "prints the text of images",
    "models": "lists, checks, adds, removes and makes bundles of models",
    "rollout": "moves requests to a canary in a cluster, step by step",
    "capacity": "searches how many images a second a service reads within a time",
    "top": "shows what a running service does: requests, latencies, stages, queues",
}
_LIST = "\n".join(f"  {name:<10}{does}" for name, does in {**_COMMANDS, "version": "prints the version"}.items())
_HELP = f"""\
usage: ppocr COMMAND [OPTION…]

Reads the text in images.

commands:
{_LIST}

`ppocr COMMAND --help` lists the options of a command; each is an environment variable too.
"""

#: What a shell says of a program that SIGPIPE ended: the reader of the output has gone.
OUTPUT_CLOSED = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code: 0 done, 1 something failed, 2 wrong usage, 141 nobody reads the output."""
    name, *rest = (sys.argv[1:] if argv is None else argv) or [""]
    if name in _COMMANDS:
        try:
            code: int = importlib.import_module(f"ppocr_cli.{name}").run(rest)
            sys.stdout.flush()
        except BrokenPipeError:
            # Python flushes standard output again at its end, and would complain there.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return OUTPUT_CLOSED
        return code
    if name in ("version", "--version", "-V"):
        print(f"ppocr {__version__}")
        return 0
    if name in ("help", "--help", "-h"):
        print(_HELP, end="")
        return 0
    if name:
        print(f"ppocr: there is no command {name!r}", file=sys.stderr)
    print(_HELP, end="", file=sys.stderr)
    return 2
