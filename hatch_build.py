"""Puts the built-in bundle into the package while it is built; an editable install gets it in the source tree.

The build backend runs this with `ppocr_convert`'s requirements installed. The wheels with the models come by pip, from
whatever index pip is configured for.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BundleHook(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        own = [str(root), str(root / "clients" / "python")]
        sys.path[:0] = own
        try:
            from ppocr_convert import builtin
        finally:
            del sys.path[: len(own)]
        bundle = builtin.build(root / "ppocr" / "bundles")
        self.app.display_info(f"built-in bundle: {bundle.label}")
