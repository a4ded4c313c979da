import sys

from ppocr.cli import main

if __name__ == "__main__":
    sys.exit(main())
