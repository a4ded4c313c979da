"""`python -m ppocr_local`: the service in one process, as the command of a container. Its flags are those of `ppocr serve`."""

import sys

from ppocr_local.service import main

if __name__ == "__main__":
    sys.exit(main())
