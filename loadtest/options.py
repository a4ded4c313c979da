"""The options of a load test, in addition to Locust's own. Each can also be set by an environment variable."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PREFIX = "PPOCR_LOAD_"
#: Protocol of a user → its description.
PROTOCOLS = {
    "raw": "V1, an image file as the body",
    "v1": "V1 JSON with base64",
    "v2": "V2 JSON with base64",
    "binary": "V2 with the binary tensor extension",
    "grpc": "V2 over gRPC",
}
_HERE = Path(__file__).parent
_DEFAULT_HOST = "http://127.0.0.1:8080"


@dataclass(frozen=True)
class Limits:
    """Limits of a run; exceeding one gives exit code 1. None: no limit. Milliseconds are per protocol."""

    fail_ratio: float
    refused_ratio: float | None
    p95_ms: float | None
    p99_ms: float | None
    min_images_per_second: float | None


@dataclass(frozen=True)
class Settings:
    """A checked load test. `mix` is protocol → weight; `think` the shortest and longest pause of a user in seconds; `user_rate`
    the images per second of each user, sent without waiting for answers (0: one after the other)."""

    mix: dict[str, int]
    think: tuple[float, float]
    user_rate: float
    images: Path
    reference: Path | None
    min_recall: float
    min_agreement: float
    model: str
    host: str
    host_header: str | None
    grpc_target: str
    authority: str | None
    timeout: float
    metrics_urls: tuple[str, ...]
    report: Path | None
    limits: Limits


def add_options(parser: Any) -> None:
    """Adds the options to Locust's parser. They are read once, at the start: the web page doesn't show them.

    A master sends all of them to its workers as MessagePack, so that each is a text, a number, or None.
    """
    group = parser.add_argument_group("ppocr", "requests, expected answers and limits")

    def option(name: str, kind: Any, default: Any, text: str) -> None:
        variable = PREFIX + name.replace("-", "_").upper()
        group.add_argument(
            f"--{name}", type=kind, default=default, env_var=variable, metavar=name.upper(), help=f"{text} [{variable}]"
        )

    everything = ",".join(f"{name}=1" for name in PROTOCOLS)
    spoken = "; ".join(f"{name}: {what}" for name, what in PROTOCOLS.items())
    option("mix", str, everything, f"Weights of the users by protocol; unnamed protocols have weight 0. {spoken}.")
    option("think-min", float, 0.0, "Shortest pause of a user between two images, in seconds.")
    option("think-max", float, 0.0, "Longest pause.")
    option(
        "user-rate", float, 0.0, "Images per second of each user, without waiting for answers; 0: one after the other."
    )
    option("images", str, str(_HERE.parent / "tests" / "data"), "Folder of image files, optionally with labels.")
    option("reference", str, None, "Expected answers as JSON Lines, from `ppocr read --json`.")
    option("min-recall", float, 0.7, "Minimum share of a label's words that an answer must have.")
    option(
        "min-agreement",
        float,
        1.0,
        "Without labels: minimum share of equal words compared with the reference; 1: the same lines.",
    )
    option("model", str, "ppocr", "Name of the model on the routes.")
    option("host-header", str, None, "Host name for a gateway, over HTTP and as :authority over gRPC.")
    target = "gRPC address, with https:// in front for TLS. Default: the host of --host with port 8081."
    option("grpc-target", str, None, target)
    option("authority", str, None, ":authority over gRPC, if different from --host-header.")
    option("request-timeout", float, 60.0, "Time limit of a request in seconds; also sent with the request.")
    option(
        "metrics-url",
        str,
        None,
        "Addresses of /metrics for the times by stage, separated by commas. Default: HOST/metrics.",
    )
    option("report", str, None, "File for the results, as JSON.")
    option("fail-ratio", float, 0.0, "Maximum share of failed requests (errors, wrong texts).")
    option("refused-ratio", float, None, "Maximum share of requests refused with 429 or 503 and Retry-After.")
    option("p95-ms", float, None, "Maximum 95th percentile in milliseconds, per protocol.")
    option("p99-ms", float, None, "Maximum 99th percentile in milliseconds, per protocol.")
    option("min-images-per-second", float, None, "Minimum images read per second.")


def settings(options: argparse.Namespace) -> Settings:
    """Checks what was parsed. Raises ValueError with a sentence."""
    host = (options.host or _DEFAULT_HOST).rstrip("/")
    name = urlsplit(host).hostname
    if not host.startswith(("http://", "https://")) or not name:
        raise ValueError(f"--host is {host!r}, and must be http://HOST:PORT or https://HOST:PORT")
    if not 0 <= options.think_min <= max(options.think_min, options.think_max):
        raise ValueError(f"--think-min is {options.think_min}, and must be 0 or more")
    if options.user_rate < 0:
        raise ValueError(f"--user-rate is {options.user_rate}, and must be 0 or more")
    for share in ("min_recall", "min_agreement", "fail_ratio"):
        if not 0 <= getattr(options, share) <= 1:
            raise ValueError(f"--{share.replace('_', '-')} is {getattr(options, share)}, and must be from 0 to 1")
    metrics = options.metrics_url.split(",") if options.metrics_url else [f"{host}/metrics"]
    return Settings(
        mix=_mix(options.mix),
        user_rate=options.user_rate,
        think=(options.think_min, max(options.think_min, options.think_max)),
        images=Path(options.images),
        reference=_path(options.reference),
        min_recall=options.min_recall,
        min_agreement=options.min_agreement,
        model=options.model,
        host=host,
        host_header=options.host_header,
        grpc_target=options.grpc_target or f"{f'[{name}]' if ':' in name else name}:8081",
        authority=options.authority or options.host_header,
        timeout=options.request_timeout,
        metrics_urls=tuple(metrics),
        report=_path(options.report),
        limits=Limits(
            options.fail_ratio,
            options.refused_ratio,
            options.p95_ms,
            options.p99_ms,
            options.min_images_per_second,
        ),
    )


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def _mix(text: str) -> dict[str, int]:
    mix = {}
    for part in filter(None, text.split(",")):
        name, _, weight = part.partition("=")
        if name not in PROTOCOLS or not (weight or "1").isdecimal():
            raise ValueError(f"--mix has {part!r}, and must be like raw=4,grpc=1, of {', '.join(PROTOCOLS)}")
        mix[name] = int(weight or "1")
    mix = {name: weight for name, weight in mix.items() if weight}
    if not mix:
        raise ValueError(f"--mix is {text!r}, which gives no user a weight")
    return mix
