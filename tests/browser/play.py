"""Serves a library as `vouch serve` does and says its address: `play.py scripted|real FOLDER HOST`."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    from ui.web.app import serve

    kind, folder, host = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    if kind == "real":
        from rag import open_library
        from rag.settings import Settings

        library = open_library(folder, settings=Settings(library=folder))
    else:
        from scripted import ScriptedLibrary

        library = ScriptedLibrary(folder)
    serve(library, host, port=0, announce=lambda address: print(address, flush=True))
