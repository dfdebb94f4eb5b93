"""Serves a library as `vouch serve` does, in a process of its own: `play.py scripted|real FOLDER`. Says its address."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    from ui.web.app import serve

    kind, folder = sys.argv[1], Path(sys.argv[2])
    if kind == "real":
        from rag import open_library
        from rag.settings import Settings

        library = open_library(folder, settings=Settings(library=folder))
    else:
        from scripted import ScriptedLibrary

        library = ScriptedLibrary(folder)
    serve(library, port=0, announce=lambda address: print(address, flush=True))
