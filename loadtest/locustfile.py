"""Load on a running service: `locust -f loadtest/locustfile.py --headless --host http://… -u 8 -t 60s`.

Users that speak V1, V2, V2 with binary tensors, gRPC and raw bodies send the images of a folder and check the texts that
come back. docs/loadtest.md explains the options.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from locust import events
from locust.runners import MasterRunner, WorkerRunner

# Locust imports this file by its path, and puts its folder on the module path: the package is one above.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from loadtest import html
from loadtest.options import Settings, add_options, settings
from loadtest.report import Report, report
from loadtest.stages import Snapshot, difference, snapshot
from loadtest.tally import Tally
from loadtest.users import MAX_OUTSTANDING, USERS, Plan, RawBody, V1Json, V2Binary, V2Grpc, V2Json, _Reader

__all__ = ["RawBody", "V1Json", "V2Binary", "V2Grpc", "V2Json"]

USAGE = 2


class Run:
    """One run from its first option to its exit code."""

    def __init__(self, environment: Any, chosen: Settings) -> None:
        self._environment = environment
        self._settings = chosen
        self._tally = Tally()
        self._before: Snapshot | None = None
        self._no_stages = "the run didn't start"
        self._ended: float | None = None
        self._report: Report | None = None
        _Reader.plan = Plan.make(chosen, self._tally)

    def listen(self) -> None:
        to = self._environment.events
        to.reset_stats.add_listener(self._tally.reset)
        runner = self._environment.runner
        if isinstance(runner, WorkerRunner):
            to.report_to_master.add_listener(self._tally.send)
            return
        if isinstance(runner, MasterRunner):
            to.worker_report.add_listener(self._tally.receive)
        if self._environment.web_ui is not None:
            html.extend(self._environment.web_ui, self._now)
        to.test_start.add_listener(self._start)
        to.test_stop.add_listener(self._stop)
        to.quitting.add_listener(self._judge)
        to.quit.add_listener(self._print)

    def _start(self, **_: Any) -> None:
        self._ended = None
        try:
            self._before = snapshot(self._settings.metrics_urls, self._settings.host_header)
        except ValueError as error:
            self._no_stages = str(error)

    def _stop(self, **_: Any) -> None:
        self._ended = time.time()

    def _now(self) -> Report:
        """The figures so far."""
        if self._environment.stats.start_time is None:
            return Report.nothing()
        stages = None
        if self._before is not None:
            try:
                stages = difference(self._before, snapshot(self._settings.metrics_urls, self._settings.host_header))
            except ValueError as error:
                self._no_stages = str(error)
        ended = self._ended or time.time()
        return report(self._environment.stats, ended, self._settings.mix, self._tally, stages, self._no_stages)

    def _judge(self, environment: Any, **_: Any) -> None:
        self._report = self._now()
        crashed = bool(environment.runner.exceptions)
        environment.process_exit_code = int(crashed or bool(self._report.broken(self._settings.limits)))

    def _print(self, **_: Any) -> None:
        """Last of all, below Locust's own tables."""
        if self._report is None:
            return
        print(f"\n{self._report}\n", file=sys.stderr)
        for sentence in self._report.broken(self._settings.limits):
            print(f"limit broken: {sentence}", file=sys.stderr)
        page = self._environment.parsed_options.html_file
        if page is not None and Path(page).is_file():
            Path(page).write_text(html.with_section(Path(page).read_text(encoding="utf-8"), self._report), "utf-8")
        if self._settings.report is not None:
            self._settings.report.write_text(self._report.as_json(), encoding="utf-8")


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]
def _options(parser: Any) -> None:
    add_options(parser)


@events.init.add_listener  # type: ignore[untyped-decorator]
def _init(environment: Any, **_: Any) -> None:
    try:
        chosen = settings(environment.parsed_options)
        run = Run(environment, chosen)
    except ValueError as error:
        print(f"loadtest: {error}", file=sys.stderr)
        raise SystemExit(USAGE) from None
    environment.host = chosen.host
    environment.user_classes[:] = [USERS[protocol] for protocol in chosen.mix]
    for protocol, weight in chosen.mix.items():
        USERS[protocol].weight = weight
        USERS[protocol].host = chosen.host
    for user in USERS.values():
        user.connection_timeout = user.network_timeout = chosen.timeout
        if chosen.user_rate:
            user.concurrency = MAX_OUTSTANDING
    run.listen()
