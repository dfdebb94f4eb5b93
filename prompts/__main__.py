"""The prompts' fingerprints: `python -m prompts` prints them, `python -m prompts CHANGELOG.md` renews them there."""

from __future__ import annotations

import sys
from pathlib import Path

from prompts import fingerprints, renewed

if len(sys.argv) > 1:
    path = Path(sys.argv[1])
    path.write_text(renewed(path.read_text("utf-8")), encoding="utf-8")
else:
    sys.stdout.write(fingerprints())
