"""`Predictor.run` as V2 tensors. Which form a network has follows from its grid.

| items | inputs | outputs |
|---|---|---|
| of one size: pages, thumbnails | `NetworkFacts.input` UINT8 [N,H,W,3] | [N], [N,H,W] or [N,T] |
| of one height and any widths: lines | `pixels` UINT8 [P], `widths` INT32 [N] | flat [S], and `steps` INT32 [N] |

Lines of one width may also have the first form. In the second they follow each other, each as its own contiguous
[height, w, 3] block, P bytes in all, and so do the elements of the answer, S in all. For the networks `det` and `rec` these
are the forms of earlier releases.
"""

from __future__ import annotations

from ppocr.contract import NetworkFacts

PIXELS, WIDTHS, STEPS = "pixels", "widths", "steps"


def ragged(network: NetworkFacts) -> bool:
    """Whether its items have one height and any widths."""
    return network.grid.height.fixed and not network.grid.width.fixed
