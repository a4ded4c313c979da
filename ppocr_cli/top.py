"""`ppocr top URL`: live statistics of a running service from its metrics: stages, requests, latencies, queues."""

from __future__ import annotations

import argparse
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from ppocr_api.errors import ConfigError
from ppocr_cli.extras import extra
from ppocr_settings.settings import parse

if TYPE_CHECKING:
    from transformer.reports.samples import Samples

#: Back to the top left corner, and all below it cleared.
CLEAR = "\x1b[H\x1b[J"


def run(argv: Sequence[str]) -> int:
    """0: success; 1: the metrics can't be read."""
    parser = argparse.ArgumentParser(prog="ppocr top", description=__doc__)
    parser.add_argument("url", metavar="URL", help="address of the service, such as http://127.0.0.1:8080")
    parser.add_argument("--seconds", type=float, default=2.0, help="seconds between two reports (default: %(default)s)")
    parser.add_argument("--times", type=int, default=0, help="number of reports; 0: until Ctrl-C (default)")
    arguments = parse(parser, argv)
    if not arguments.seconds > 0:
        parser.error("--seconds must be above 0")
    url = arguments.url.rstrip("/")
    if not url.startswith(("http://", "https://")):
        parser.error("URL must begin with http:// or https://")
    try:
        with extra("serve", "showing a service"):
            return _watch(url, arguments.seconds, arguments.times, _routes())
    except KeyboardInterrupt:
        return 0
    except (ConfigError, urllib.error.URLError, OSError, ValueError) as error:
        print(f"ppocr top: {url}/metrics can't be read: {getattr(error, 'reason', error)}", file=sys.stderr)
        return 1


def _watch(url: str, seconds: float, times: int, routes: Collection[str]) -> int:
    from transformer.reports.interval import interval
    from transformer.reports.text import report

    before, shown = _samples(url), 0
    while not times or shown < times:
        time.sleep(seconds)
        now = _samples(url)
        head = f"{url}  {time.strftime('%H:%M:%S')}  the last {now.at - before.at:.1f} s\n"
        print((CLEAR if sys.stdout.isatty() else "") + head + report(interval(before, now, routes)), flush=True)
        before, shown = now, shown + 1
    return 0


def _samples(url: str) -> Samples:
    from transformer.reports.samples import Samples

    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
        return Samples.parse(answer.read().decode())


def _routes() -> frozenset[str]:
    """Of all formats, on any port."""
    from ppocr.serving.light_import import import_kserve

    import_kserve()
    from transformer.routes.served import served
    from transformer.settings import FormatSettings

    return served(FormatSettings(pdserving_port=1, web_service_port=1)).routes
