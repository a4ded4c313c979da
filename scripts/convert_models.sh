#!/bin/sh
# Converts PP-OCR models to a bundle, and checks that both read the same: `ppocr models convert`.
#   scripts/convert_models.sh --det MODEL --rec MODEL [--cls MODEL] [--page_orientation MODEL] [--dict FILE] [--name NAME] [OPTION…] OUT
# A MODEL is a folder, a tar, an .onnx file, or a Paddle program. --help lists the options; docs/models.md explains them.
# It runs in .venv if `make` has created it, else with `python3`; PYTHON selects another one.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
if [ -z "${PYTHON:-}" ]; then
    PYTHON=python3
    [ -x "$root/.venv/bin/python" ] && PYTHON=$root/.venv/bin/python
fi
PYTHONPATH=$root${PYTHONPATH:+:$PYTHONPATH} exec "$PYTHON" -m ppocr models convert "$@"
