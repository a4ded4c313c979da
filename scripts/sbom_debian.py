"""Adds Debian's packages to an SBOM: python scripts/sbom_debian.py FILE.cdx.json; input: NAME VERSION ARCHITECTURE a line."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from urllib.parse import quote


def main(path: Path, lines: list[str]) -> None:
    document = json.loads(path.read_text())
    for name, version, architecture in (line.split() for line in sorted(lines)):
        purl = f"pkg:deb/debian/{name}@{quote(version)}?arch={architecture}"
        document["components"].append(
            {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
        )
    path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.stdin.read().splitlines())
