"""An interval as text, in the form of the report that PaddleServing's tracer writes."""

from __future__ import annotations

from transformer.reports.interval import PERCENTILES, Interval, Step


def report(interval: Interval) -> str:
    """The lines of one report. A step hands its result over in memory, so `out` is always 0."""
    lines = ["==================== TRACER ======================"]
    for name, step in interval.steps.items():
        lines += [f"Op({name}):", *(f"\t{action}[{value:.3f} ms]" for action, value in _actions(step))]
        lines.append(f"\tidle[{step.idle:.4f}]")
    if interval.requests:
        failed = ", ".join(f"{code}: {count}" for code, count in interval.failed.items())
        lines += [
            "DAGExecutor:",
            f"\tQuery count[{interval.requests}]",
            f"\tQPS[{interval.per_second:.3f} q/s]",
            f"\tSucc[{interval.success:.4f}]",
            f"\tError req[{failed}]",
            "\tLatency:",
            f"\t\tave[{interval.latency.get('ave', 0.0):.3f} ms]",
            *(f"\t\t.{each}[{interval.latency.get(each, 0.0):.3f} ms]" for each in PERCENTILES),
        ]
    lines.append(f"Channel (requests in flight[{interval.in_flight}]):")
    lines += [f"\t{name} size[{items} items, {pixels} pixels]" for name, (items, pixels) in interval.queues.items()]
    return "\n".join(lines) + "\n"


def _actions(step: Step) -> list[tuple[str, float]]:
    return [
        ("in", step.waits),
        ("prep", step.before),
        ("midp", step.network),
        ("postp", step.after),
        ("out", 0.0),
    ]
