"""`python -m ppocr_capacity`: in the transformer's image, which has no `ppocr` command."""

import sys

from ppocr_capacity.command import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], prog="python -m ppocr_capacity"))
