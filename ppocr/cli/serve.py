"""`ppocr serve`: transformer and predictor in one process."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ppocr.cli.extras import extra
from ppocr.errors import ConfigError


def run(argv: Sequence[str]) -> int:
    """Serves until SIGTERM or Ctrl-C."""
    try:
        with extra("serve", "serving"):
            from ppocr.all_in_one import main

            return main(argv)
    except ConfigError as error:
        print(f"ppocr serve: {error}", file=sys.stderr)
        return 1
