"""`ppocr serve`: transformer and predictor in one process."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ppocr_api.errors import ConfigError
from ppocr_cli.extras import extra


def run(argv: Sequence[str]) -> int:
    """Serves until SIGTERM or Ctrl-C."""
    try:
        with extra("serve", "serving"):
            from ppocr_local.service import main

            return main(argv)
    except ConfigError as error:
        print(f"ppocr serve: {error}", file=sys.stderr)
        return 1
