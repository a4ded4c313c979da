"""The batches of a request as spans of its trace."""

from __future__ import annotations

import ppocr_tracing
from ppocr.contract import BundleFacts
from predictor.batching.requests import Forward, Told


def traced(bundle: BundleFacts, network: str) -> Told:
    """Adds two spans below the current one for each batch: its items' wait, and the network. None if nothing is traced."""
    add = ppocr_tracing.past()
    if add is None:
        return None
    known = {"ppocr.bundle": bundle.label, "ppocr.network": network}

    def told(forward: Forward) -> None:
        add("queue", forward.arrived, forward.began, known)
        batch = {
            "ppocr.items": forward.items,
            "ppocr.batch.items": forward.batch_items,
            "ppocr.batch.pixels": forward.batch_pixels,
        }
        add("infer", forward.began, forward.ended, {**known, **batch})

    return told
