"""`ppocr models`: lists, checks, adds, removes and converts bundles."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ppocr
from ppocr_api.errors import BundleError, ConfigError, PpocrError
from ppocr_cli import models_convert, models_store
from ppocr_cli.models_output import describe, facts_of, size, summary
from predictor.repository import folders
from predictor.repository.folders import Entry

FAILED = 1
BUILT_IN = Path(ppocr.__file__).parent / "bundles"


def run(argv: Sequence[str], environ: Mapping[str, str] = os.environ) -> int:
    """0: done; 1: it failed, with a sentence on standard error; 2: wrong usage."""
    arguments = _parser(environ).parse_args(argv)
    act: Callable[[argparse.Namespace], int] = arguments.act
    try:
        return act(arguments)
    except PpocrError as error:
        print(f"ppocr models {arguments.command}: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return 130


def _parser(environ: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ppocr models", description="Lists, checks, adds, removes and converts model bundles.", allow_abbrev=False
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    models_convert.add_parser(commands)

    def command(name: str, help: str, act: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".", allow_abbrev=False)
        made.set_defaults(act=act)
        made.add_argument(
            *("--model_dir", "--model-dir"),
            default=environ.get("PPOCR_MODEL_DIR", ""),
            help="repository of bundles; can also be set by PPOCR_MODEL_DIR (default: the bundles installed with the package)",
        )
        made.add_argument("--json", action="store_true", help="print JSON instead of text")
        return made

    command("list", "lists the bundles of a repository", _list)
    show = command("show", "shows all that is known of a bundle", _show)
    show.add_argument(
        "bundle", metavar="NAME[/VERSION]", nargs="?", default="", help="default: the only bundle, highest version"
    )
    verify = command("verify", "checks all files against the digests in their manifests", _verify)
    verify.add_argument("bundle", metavar="NAME[/VERSION]", nargs="*", help="default: all bundles of the repository")
    add = command("add", "copies a bundle into a repository", _add)
    add.add_argument("folder", metavar="BUNDLE", help="folder of a bundle (the one with manifest.json)")
    add.add_argument("--name", default="", help="name in the repository (default: the bundle's name)")
    add.add_argument("--version", default="", help="version in the repository (default: the next free number)")
    remove = command("remove", "removes a version of a bundle from a repository", _remove)
    remove.add_argument("bundle", metavar="NAME/VERSION")
    remove.add_argument("--force", action="store_true", help="remove it even if it is the bundle's only version")
    return parser


def _root(arguments: argparse.Namespace) -> Path:
    root = Path(arguments.model_dir) if arguments.model_dir else BUILT_IN
    if not root.is_dir():
        raise BundleError(f"there is no folder {str(root)!r}")
    return root


def _list(arguments: argparse.Namespace) -> int:
    entries = folders.scan(_root(arguments))
    rows = [summary(entry) for entry in entries]
    if arguments.json:
        _print_json(rows)
        return 0
    if not rows:
        print("no bundles")
        return 0
    columns = ("bundle", "size", "memory", "networks", "formats", "licence", "problem")
    shown = [
        [f"{row['name']}/{row['version']}", size(row["bytes"]), size(row["memory_bytes"])]
        + [_cell(row[column]) for column in columns[3:]]
        for row in rows
    ]
    widths = [max(len(line[place]) for line in [list(columns), *shown]) for place in range(len(columns))]
    for line in [[name.upper() for name in columns], *shown]:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    return 0


def _cell(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def _show(arguments: argparse.Namespace) -> int:
    entry = _find(_root(arguments), arguments.bundle)
    facts = facts_of(entry)
    if arguments.json:
        _print_json(facts)
    else:
        print(describe(facts))
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    root = _root(arguments)
    entries = folders.scan(root)
    if arguments.bundle:
        entries = [_find(root, name) for name in arguments.bundle]
    results = [{"name": entry.name, "version": entry.version, "problem": _problem(entry)} for entry in entries]
    if arguments.json:
        _print_json(results)
    else:
        for result in results:
            print(f"{result['name']}/{result['version']}: {result['problem'] or 'as its manifest says'}")
        if not results:
            print("no bundles")
    return FAILED if any(result["problem"] for result in results) else 0


def _problem(entry: Entry) -> str:
    try:
        bundle = entry.open()
        bundle.verify()
        bundle.facts()
    except BundleError as error:
        return error.message
    return ""


def _add(arguments: argparse.Namespace) -> int:
    root = _own_root(arguments)
    bundle = models_store.add(root, Path(arguments.folder), arguments.name, arguments.version)
    if arguments.json:
        _print_json(facts_of(folders.find(root, bundle.manifest.name, bundle.manifest.version)))
    else:
        print(f"added {bundle.label} to {root}")
    return 0


def _remove(arguments: argparse.Namespace) -> int:
    root = _own_root(arguments)
    entry = _find(root, arguments.bundle, exact=True)
    freed = models_store.remove(root, entry, arguments.force)
    if arguments.json:
        _print_json({"name": entry.name, "version": entry.version, "bytes": freed})
    else:
        print(f"removed {entry.label}: {size(freed)}")
    return 0


def _own_root(arguments: argparse.Namespace) -> Path:
    """The repository to change; what is installed with the package isn't changed."""
    if not arguments.model_dir:
        raise ConfigError("--model_dir must name a repository; the bundles of the package belong to pip")
    root = Path(arguments.model_dir)
    if arguments.command == "add":
        root.mkdir(parents=True, exist_ok=True)
    return _root(arguments)


def _find(root: Path, name: str, exact: bool = False) -> Entry:
    """NAME or NAME/VERSION, also of a version that can't be loaded."""
    bundle, _, version = name.partition("/")
    if exact and not version:
        raise ConfigError(f"{name!r} must be NAME/VERSION")
    for entry in folders.scan(root):
        if version and (entry.name, entry.version) == (bundle, version):
            return entry
    return folders.find(root, bundle, version)


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))
