"""Writes a chart's archive again so that equal charts are equal bytes: python scripts/chart_archive.py FILE.tgz SECONDS

Entries are sorted by name and have one time, SECONDS since 1970. It is the file's own time afterwards: `helm push` dates the
artefact by that.
"""

from __future__ import annotations

import gzip
import io
import os
import sys
import tarfile
from pathlib import Path


def main(path: Path, seconds: int) -> None:
    with tarfile.open(path) as former:
        files = sorted((entry.name, former.extractfile(entry)) for entry in former if entry.isfile())
        contents = [(name, file.read()) for name, file in files if file is not None]
    packed = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=seconds) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name, content in contents:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.mode = len(content), seconds, 0o644
            archive.addfile(entry, io.BytesIO(content))
    path.write_bytes(packed.getvalue())
    os.utime(path, (seconds, seconds))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
