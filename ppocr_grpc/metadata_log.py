"""Suppresses gRPC's log of metadata that isn't valid text.

cygrpc writes a trace for each value that isn't UTF-8. A block of headers of a few megabytes may repeat one a hundred thousand
times: 77 MB of log, and an event loop that answers nobody for 25 s.
"""

from __future__ import annotations

import logging
from typing import Any

_LOGGER = "grpc._cython.cygrpc"
_INVALID_METADATA = "Invalid encoding"


def leave_out_metadata() -> None:
    """From here on these are not logged. What else gRPC has to say is."""
    logger = logging.getLogger(_LOGGER)
    if isinstance(logger.exception, _Exceptions):
        return
    # A filter would come after a record was made, which takes most of the time.
    logger.exception = _Exceptions(logger.exception)  # type: ignore[assignment, method-assign]


class _Exceptions:
    def __init__(self, log: Any) -> None:
        self._log = log

    def __call__(self, message: object, *arguments: object, **options: Any) -> None:
        if not str(message).startswith(_INVALID_METADATA):
            self._log(message, *arguments, **options)
