"""The only process that goes online for a model: it brings a repository's files into the model hub's cache.

`rag.embedders.hub` runs this file by its path, for a model that a setting names, with the files to bring; none are
those that sentence-transformers loads. It imports nothing of Vouch, and says the name of its failure on standard
output.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import PurePosixPath


def loaded(files: Sequence[str]) -> list[str]:
    """Of a repository's files those that sentence-transformers loads: each folder's weights in one format only."""
    paths = [PurePosixPath(file) for file in files]
    safe = {path.parent for path in paths if path.suffix == ".safetensors"}
    return [str(path) for path in paths
            if path.suffix in {".json", ".txt", ".model", ".jinja", ".safetensors"}
            or (path.match("pytorch_model*.bin") and path.parent not in safe)]


def fetch(repository: str, files: Sequence[str]) -> None:
    """Bring the files into the cache, or those that sentence-transformers loads."""
    from huggingface_hub import HfApi, snapshot_download

    listed = files or loaded([file.rfilename for file in HfApi().model_info(repository).siblings or ()])
    snapshot_download(repository, allow_patterns=list(listed))


if __name__ == "__main__":
    sys.excepthook = lambda kind, _error, _trace: sys.stdout.write(kind.__name__) and None
    fetch(sys.argv[1], sys.argv[2:])
