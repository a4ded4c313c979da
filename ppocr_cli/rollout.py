"""`ppocr rollout`: shifts traffic to the canary step by step, and back if the canary does worse."""

from __future__ import annotations

import argparse
import dataclasses
import os
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Event

from ppocr_api.errors import ConfigError, PpocrError
from ppocr_cli.extras import extra
from ppocr_settings.settings import add_flags, from_namespace, parse, setting, switches_spelt_out, warn_of_misspelt

PROMOTED, ROLLED_BACK, FAILED = 0, 1, 2


@dataclass(frozen=True)
class RolloutSettings:
    """Steps and limits of `ppocr rollout`."""

    namespace: str = setting("Namespace of the release. Empty: that of the kubeconfig's context.", "")
    context: str = setting("Context of the kubeconfig. Empty: the current one, or the pod's own service account.", "")
    steps: str = setting("Weights of the canary in percent, rising.", "5,25,50,100")
    hold: str = setting("Minimum time per step: seconds, or 90s, 5m, 1h.", "60s")
    max_hold: str = setting(
        "How long to wait for min_requests before the canary is taken back because it can't be judged.", "10m"
    )
    interval: str = setting("Time between two checks.", "5s")
    min_success: float = setting("Minimum share of the canary's requests that succeed.", 0.99, minimum=0, maximum=1)
    max_p95_ratio: float = setting(
        "Maximum ratio of the canary's 95th percentile to the stable track's.", 1.25, minimum=0
    )
    min_requests: int = setting("Requests that the canary needs in each step.", 100, minimum=1)
    prometheus: str = setting("Query the Prometheus at this address instead of the pods.", "")
    dry_run: bool = setting("Show what would be done, and change nothing.", False)
    end: bool = setting(
        "Only remove the routes of a rollout, so that canary.weight of the release applies again.", False
    )


def run(argv: Sequence[str], environ: Mapping[str, str] = os.environ) -> int:
    """0: promoted; 1: taken back; 2: wrong usage, or the cluster failed."""
    parser = _parser(environ)
    namespace = parse(parser, switches_spelt_out(argv, RolloutSettings), intermixed=True)
    warn_of_misspelt(parser.prog, {field.name for field in dataclasses.fields(RolloutSettings)}, environ)
    try:
        settings = from_namespace(RolloutSettings, namespace)
        steps = _steps(settings.steps)
        times = {name: _seconds(name, getattr(settings, name)) for name in ("hold", "max_hold", "interval")}
    except ConfigError as error:
        parser.error(str(error))
    stop = Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        return _roll_out(namespace.release, settings, steps, times, stop)
    except PpocrError as error:
        print(f"ppocr rollout: {error}", file=sys.stderr)
        return FAILED
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _roll_out(
    release: str, settings: RolloutSettings, steps: tuple[int, ...], times: dict[str, float], stop: Event
) -> int:
    with extra("rollout", "rolling out"):
        from ppocr_rollout.cluster import Cluster
        from ppocr_rollout.decision import Limits
        from ppocr_rollout.sources import Pods, Prometheus
        from ppocr_rollout.steps import Plan, Rollout
        from ppocr_rollout.table import Table

    cluster = Cluster(settings.namespace, release, settings.context or None)
    table = Table()
    if settings.end:
        for plural, name in cluster.end().items():
            table.say(f"{plural} {name}: removed, the weight is the release's again")
        return PROMOTED
    source = Prometheus(settings.prometheus, cluster.namespace) if settings.prometheus else Pods(cluster)
    limits = Limits(settings.min_success, settings.max_p95_ratio, settings.min_requests)
    rollout = Rollout(cluster, source, Plan(steps, **times, limits=limits), table, stop)
    for route in rollout.routes:
        table.say(f"{route.plural} {route.name}: the canary has {route.weight} %")
    for track, (ready, pods) in rollout.ready().items():
        table.say(f"{track}: {ready} of {pods} pods are ready")
    if settings.dry_run:
        table.say(f"would go to {', '.join(f'{step} %' for step in steps)}, {times['hold']:g} s each")
        return PROMOTED
    if not rollout.run():
        return ROLLED_BACK
    table.say(_afterwards(release, cluster.namespace, steps[-1]))
    return PROMOTED


def _afterwards(release: str, namespace: str, weight: int) -> str:
    return (
        f"the canary has {weight} %, by routes of the rollout's own, which no upgrade changes. When the release says the "
        "same (canary.weight, or the stable track's values), hand that back to it:\n"
        f"  ppocr rollout {release} -n {namespace} --end"
    )


def _parser(environ: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ppocr rollout",
        description="Shifts traffic from the stable track of a release to its canary, step by step, as long as the canary's "
        "success rate and 95th percentile are good, and back if they aren't.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("release", metavar="RELEASE", help="the Helm release")
    add_flags(parser, RolloutSettings, environ)
    parser.add_argument("-n", dest="namespace", default=argparse.SUPPRESS, help="short for --namespace")
    return parser


def _steps(text: str) -> tuple[int, ...]:
    parts = [part.strip().removesuffix("%").strip() for part in text.split(",")]
    steps = tuple(int(part) for part in parts if part.isdecimal() and len(part) <= 3)
    if len(steps) != len(parts) or list(steps) != sorted(set(steps)) or not 1 <= steps[0] <= steps[-1] <= 100:
        raise ConfigError(f"--steps is {text!r}, and must be rising percentages from 1 to 100, like 5,25,50,100")
    return steps


def _seconds(name: str, text: str) -> float:
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)\s*(s|m|h)?", text.strip())
    if match is None or float(match[1]) == 0:
        raise ConfigError(f"--{name} is {text!r}, and must be a time above 0, like 90, 90s, 5m or 1h")
    return float(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2] or "s"]
