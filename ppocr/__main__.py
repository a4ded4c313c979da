"""`python -m ppocr`: the command, if its script isn't on the path. A program, which nothing imports."""

import sys

from ppocr_cli import main

if __name__ == "__main__":
    sys.exit(main())
