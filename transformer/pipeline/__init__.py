"""The way of a page: one file per stage. Each stage adds to what is known of a page.

    orient_page → detect → straighten → orient_lines → recognise → read_both_ways → order

A request runs the stages that it asks for and whose networks its bundle has. stage.py says what a stage is, page.py what it
works on, and networks.py how it has a network run.
"""

from transformer.pipeline.detect import Detect
from transformer.pipeline.order import Order
from transformer.pipeline.orient_lines import OrientLines
from transformer.pipeline.orient_page import OrientPage
from transformer.pipeline.read_both_ways import ReadBothWays
from transformer.pipeline.recognise import Recognise
from transformer.pipeline.stage import Stage
from transformer.pipeline.straighten import Straighten

STAGES: tuple[Stage, ...] = (
    OrientPage(),
    Detect(),
    Straighten(),
    OrientLines(),
    Recognise(),
    ReadBothWays(),
    Order(),
)
