"""The house: which way imports point, and which names others may rely on."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# From the ground up; a module may import from floors below its own, and from its own where that makes no circle.
FLOORS = [
    {"prompts", "rag.checker", "rag.conversation", "rag.drafted", "rag.embedders", "rag.errors", "rag.models",
     "rag.schema", "rag.search", "rag.text"},
    {"rag.checker.agree", "rag.checker.corrupt", "rag.checker.directions", "rag.checker.edits",
     "rag.checker.polarity", "rag.checker.quantities", "rag.checker.reword", "rag.checker.signs",
     "rag.checker.thesaurus", "rag.chunk", "rag.conversation.converse", "rag.conversation.ellipsis",
     "rag.conversation.inventory", "rag.conversation.language", "rag.conversation.mention",
     "rag.conversation.pronoun", "rag.conversation.topic", "rag.embedders.fetch", "rag.embedders.threads",
     "rag.examples", "rag.floor", "rag.fuse", "rag.kept", "rag.kinds", "rag.merge", "rag.models.cost",
     "rag.models.failure", "rag.models.inert", "rag.models.marks", "rag.models.openaichat", "rag.models.parse",
     "rag.models.picking", "rag.models.providers", "rag.models.remembered", "rag.models.told", "rag.phrase",
     "rag.readable", "rag.search.acronyms", "rag.search.constraints", "rag.search.feedback", "rag.search.years",
     "rag.settings"},
    {"rag.marked", "rag.survey", "rag.tables"},
    {"rag.embedders.encoders", "rag.embedders.hub", "rag.embedders.hubembed", "rag.embedders.minilm",
     "rag.search.compare"},
    {"rag.catalogue", "rag.checker.leaning", "rag.checker.stance", "rag.cite", "rag.embed", "rag.lexical", "rag.llm",
     "rag.search.vocabulary", "rag.vectors", "rag.writing"},
    {"rag.search.wording", "rag.store"},
    {"rag.conversation.find", "rag.conversation.greeting", "rag.conversation.themes", "rag.papers", "rag.removal"},
    {"rag.models.judge", "rag.models.packing", "rag.models.quoting", "rag.models.rerank", "rag.models.rewrite",
     "rag.models.weigh", "rag.retrieve", "rag.search.alike", "rag.search.narrow"},
    {"rag.candidates", "rag.chain", "rag.conversation.holdings", "rag.conversation.retell", "rag.extract",
     "rag.models.deep", "rag.relevant"},
    {"rag.look"},
    {"rag.claim", "rag.draft"},
    {"rag.answer"},
    {"rag.digest", "rag.digest.arrange", "rag.digest.cells", "rag.digest.changes", "rag.digest.cues",
     "rag.digest.groups", "rag.digest.headings", "rag.digest.layout", "rag.digest.material", "rag.digest.meeting",
     "rag.digest.numbering", "rag.digest.phrases", "rag.digest.reading", "rag.digest.scope", "rag.digest.sections",
     "rag.digest.summary", "rag.digest.write"},
    {"rag.digest.calls", "rag.digest.composing", "rag.digest.ending", "rag.digest.outlining", "rag.digest.prose",
     "rag.digest.shown"},
    {"rag.surveys"},
    {"rag.library"},
    {"rag", "rag.checker.audit", "rag.doctor", "rag.evaluate"},
    {"ingest"},
    {"ui"},
]


def _modules() -> dict[str, Path]:
    found = {}
    for package in ("rag", "prompts", "ingest", "ui"):
        for path in (ROOT / package).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _floor(module: str) -> int:
    names = {module, module.split(".")[0]} if not module.startswith("rag.") else {module}
    floors = [number for number, floor in enumerate(FLOORS) if floor & names]
    assert floors, f"{module} has no floor in the house: give it one"
    return floors[0]


def _imports(path: Path, modules: dict[str, Path]) -> set[str]:
    """The project's modules that a file imports when it runs, not those it only names in annotations."""
    found = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.If)
                   and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING" for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" if f"{node.module}.{alias.name}" in modules else node.module
                      for alias in node.names}
    return {name for name in found if name in modules}


def test_imports_point_down() -> None:
    modules = _modules()
    upward = [f"{module} imports {imported}" for module, path in modules.items()
              for imported in _imports(path, modules) if _floor(imported) > _floor(module)]
    assert upward == []


def test_every_floor_is_built() -> None:
    modules = _modules()
    assert [name for floor in FLOORS for name in floor if name not in modules] == []


def test_public_names() -> None:
    rag = importlib.import_module("rag")
    assert set(rag.__all__) >= {
        "Answer", "Chunk", "Citation", "Finished", "Hit", "IngestReport", "Library", "Origin", "Paper", "Reference",
        "Rejected", "Said", "Sentence", "Stage", "Support", "Turn", "VouchError", "Where", "open_library"}
    assert all(hasattr(rag, name) for name in rag.__all__)
    assert importlib.import_module("ingest").ingest.__module__.startswith("ingest")


@pytest.mark.parametrize("heavy", ["chromadb", "gradio", "langchain_core", "openai", "onnxruntime", "pandas"])
def test_importing_the_engine_is_light(heavy: str) -> None:
    loaded = subprocess.run([sys.executable, "-c", "import sys, rag, ingest, ui.cli; print('\\n'.join(sys.modules))"],
                            capture_output=True, text=True, check=True, cwd=ROOT).stdout.split()
    assert heavy not in loaded


def test_no_module_is_overgrown() -> None:
    assert [name for name, path in _modules().items()
            if len(path.read_text(encoding="utf-8").splitlines()) > 400] == []
