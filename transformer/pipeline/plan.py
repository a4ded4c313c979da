"""The stages that read an image: for a whole page, or only for the part of the work that some wire formats request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from transformer.parameters import Parameters
from transformer.pipeline.detect import Detect
from transformer.pipeline.order import Order
from transformer.pipeline.orient_lines import OrientLines
from transformer.pipeline.orient_page import OrientPage
from transformer.pipeline.read_again import ReadAgain
from transformer.pipeline.recognise import Recognise
from transformer.pipeline.stage import Stage, is_asked_for
from transformer.pipeline.straighten import Straighten
from transformer.pipeline.whole_image import WholeImage

#: `page`: all lines of an image. `boxes`: where its lines are, without reading them. `line`: the image is one line, which is
#: read. `line_angle`: the image is one line, and only its angle is found, for which use_textline_orientation must be set.
Reads = Literal["page", "boxes", "line", "line_angle"]

STAGES: Final[tuple[Stage, ...]] = (
    OrientPage(),
    Detect(),
    Straighten(),
    OrientLines(),
    Recognise(),
    ReadAgain(),
    Order(),
)

_PLANS: Final[Mapping[Reads, tuple[Stage, ...]]] = {
    "page": STAGES,
    "boxes": (OrientPage(), Detect(), Straighten(), Order()),
    "line": (WholeImage(), OrientLines(), Recognise(), ReadAgain(), Order()),
    "line_angle": (WholeImage(), OrientLines(), Order()),
}


def stages_of(reads: Reads, parameters: Parameters) -> list[Stage]:
    """The stages that a request runs, in their order."""
    return [stage for stage in _PLANS[reads] if is_asked_for(stage, parameters)]
