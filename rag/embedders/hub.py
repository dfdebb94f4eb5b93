"""Models by name or folder: where their files lie, what tells them apart, and what their makers put before a text.

Everything here is offline but for a model that is named and not there yet: its files are fetched once, by a process
of its own (`rag/embedders/fetch.py`), so that this one never goes online.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rag.errors import EmbedderError
from rag.settings import downloading, quiet

T = TypeVar("T")

_REPOSITORY = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)?")
_SHA256 = re.compile("[0-9a-f]{64}")
_SEARCHING = "Represent this sentence for searching relevant passages: "

# What goes before a question and before a passage, where a model's files do not say: by name, as on the models' pages.
_FAMILIES = tuple((re.compile(pattern, re.IGNORECASE), question, passage) for pattern, question, passage in (
    (r"\be5-(small|base|large)(?!.*instruct)", "query: ", "passage: "),
    (r"\bbge-(small|base|large)-en", _SEARCHING, ""),
    (r"\bmxbai-embed-large", _SEARCHING, ""),
    (r"\barctic-embed-[lm]-v2", "query: ", ""),
    (r"\barctic-embed-", _SEARCHING, ""),
    (r"\bnomic-embed-text", "search_query: ", "search_document: "),
    (r"\bembeddinggemma", "task: search result | query: ", "title: none | text: "),
    (r"\bqwen3-embedding",
     "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:", ""),
))
_QUESTION = ("query", "s2p_query", "web_search_query", "search_query")
_PASSAGE = ("document", "passage", "corpus", "search_document")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFiles:
    """A model on this machine.

    Attributes:
        name: kind and name, e.g. "fastembed:BAAI/bge-small-en-v1.5"; of a folder only its last part.
        folder: where its files lie.
        weights: the files of its numbers.
        shape: the small files that say how its parts go together.
        question: what goes before a question.
        passage: what goes before a passage.
    """

    name: str
    folder: Path
    weights: tuple[Path, ...]
    shape: tuple[Path, ...] = ()
    question: str = ""
    passage: str = ""

    @property
    def identity(self) -> str:
        """The name with a hash over weights, shape and prefixes: the same wherever the same model lies."""
        digest = hashlib.sha256(json.dumps([self.question, self.passage]).encode())
        for path in self.weights:
            digest.update(_sha256(path).encode())
        for path in self.shape:
            digest.update(path.read_bytes())
        return f"{self.name}@{digest.hexdigest()[:12]}"


def prefixes(name: str, prompts: Mapping[str, str | None]) -> tuple[str, str]:
    """What goes before a question and before a passage: the model's own prompts, else those of its family."""
    if any(prompts.values()):
        own = [next((prompt for key in keys if (prompt := prompts.get(key))), "") for keys in (_QUESTION, _PASSAGE)]
        return own[0], own[1]
    return next(((question, passage) for family, question, passage in _FAMILIES if family.search(name)), ("", ""))


def sentence_transformers_files(model: str) -> ModelFiles:
    """The files of a sentence-transformers model: a folder, or a repository that is fetched if it is not there.

    Raises:
        EmbedderError: there is no such model, or it cannot be fetched.
    """
    folder = Path(model).expanduser()
    name = folder.name
    if not folder.is_dir():
        name = model if "/" in model else f"sentence-transformers/{model}"
        folder = _obtain(model, name, lambda folder: bool(_weights(folder)))
    weights = _weights(folder)
    if not weights:
        raise EmbedderError(f"The folder {folder} holds no weights of a sentence-transformers model; name one that "
                            "does, as SentenceTransformer.save writes it.")
    no_prompts: dict[str, dict[str, str | None]] = {}
    own = _read(folder / "config_sentence_transformers.json", no_prompts)
    question, passage = prefixes(name, own.get("prompts") or {})
    shape = (folder / "modules.json", *(part / "config.json" for part in _parts(folder)))
    return ModelFiles(name=f"sentence-transformers:{name}", folder=folder, weights=weights, question=question,
                      passage=passage, shape=tuple(path for path in shape if path.is_file()))


def fastembed_files(model: str) -> ModelFiles:
    """The files of a model on fastembed's list, fetched if they are not there.

    Raises:
        EmbedderError: it is not on the list, or cannot be fetched.
    """
    quiet()
    from fastembed import TextEmbedding

    listed = {entry["model"]: entry for entry in TextEmbedding.list_supported_models()}
    name = next((name for name in listed if name.lower() == model.lower()), None)
    if name is None:
        nearest = difflib.get_close_matches(model, listed, n=1, cutoff=0.0)[0]
        raise EmbedderError(f'fastembed has no model "{model}" on its list; the nearest is {nearest}.')
    weights = [listed[name]["model_file"], *listed[name]["additional_files"]]
    small = ["config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]
    folder = _obtain(model, listed[name]["sources"]["hf"],
                     lambda folder: all((folder / file).is_file() for file in [*weights, "tokenizer.json"]),
                     [*small, *weights])
    question, passage = prefixes(name, {})
    return ModelFiles(name=f"fastembed:{name}", folder=folder, weights=tuple(folder / file for file in weights),
                      question=question, passage=passage)


def _obtain(model: str, repository: str, whole: Callable[[Path], bool], files: Sequence[str] = ()) -> Path:
    """The repository's folder in the hub's cache, fetched unless it is there and whole."""
    quiet()
    if not _REPOSITORY.fullmatch(repository):
        raise EmbedderError(f'There is no folder "{model}", and no model can have that name; check VOUCH_EMBEDDINGS.')
    folder = _cached(repository)
    if folder is None or not whole(folder):
        _fetch(repository, files)
        folder = _cached(repository)
    if folder is None or not whole(folder):
        raise EmbedderError(f'"{repository}" on the model hub does not hold what an embedder needs; name another.')
    return folder


def _cached(repository: str) -> Path | None:
    """The folder of the repository's newest state in the cache, whole or not."""
    from huggingface_hub import try_to_load_from_cache

    for file in ("config.json", "modules.json", "tokenizer.json"):
        if isinstance(found := try_to_load_from_cache(repository, file), str):
            return Path(found).parent
    return None


def _fetch(repository: str, files: Sequence[str]) -> None:
    command = [sys.executable, "-P", str(Path(__file__).with_name("fetch.py")), repository, *files]
    # The bars of a download are worth showing, but only to a person.
    errors = None if sys.stderr.isatty() else subprocess.DEVNULL
    done = subprocess.run(command, env=downloading(), stdout=subprocess.PIPE, stderr=errors, text=True, check=False)
    if done.returncode:
        raise EmbedderError(f'The model "{repository}" is not on this machine and could not be fetched from the model '
                            f"hub ({done.stdout.strip() or 'interrupted'}); check its name and the network, or name a "
                            "folder that holds it.")


def _parts(folder: Path) -> list[Path]:
    return [folder / module["path"] for module in _read(folder / "modules.json", [{"path": ""}])]


def _weights(folder: Path) -> tuple[Path, ...]:
    """The files of the folder's weights, and of its modules' where they have some."""
    found: list[Path] = []
    for part in _parts(folder):
        found += sorted(part.glob("*.safetensors")) or sorted(part.glob("pytorch_model*.bin"))
    return tuple(dict.fromkeys(found))


def _read(path: Path, absent: T) -> T:
    """The JSON of a file, of the shape of what holds where there is no file."""
    if not path.is_file():
        return absent
    try:
        found: T = json.loads(path.read_text(encoding="utf-8"))
        return found
    except (OSError, ValueError) as error:
        raise EmbedderError(f"{path} cannot be read ({type(error).__name__}); fetch or copy the model anew.") from error


def _sha256(path: Path) -> str:
    # The hub's cache names a large file by its hash, so it need not be read.
    stored = path.resolve().name
    if _SHA256.fullmatch(stored):
        return stored
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
