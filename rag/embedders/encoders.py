"""Loaded models of sentence-transformers and of fastembed, seen alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from rag.embedders.hub import ModelFiles
from rag.settings import quiet

if TYPE_CHECKING:
    from fastembed import TextEmbedding
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

BATCH = 16  # texts of about the same length
_WINDOW = 512  # of a model that names none


class Model(Protocol):
    """A loaded model, as sentence-transformers and fastembed have it."""

    prefixes: tuple[str, str]
    """What it puts before a passage and before a question."""
    window: int
    """Tokens it reads of a text, special ones and prefix included."""
    tokenizer: Tokenizer | None
    """A tokenizer of its own kind that neither cuts nor pads; None where it has no such."""

    def vectors(self, texts: list[str], *, question: bool) -> NDArray[np.float32]:
        """Vectors of whole texts, (n, d)."""

    def tokens(self, texts: list[str], *, question: bool) -> list[NDArray[np.float32]] | None:
        """Of each text the vectors of its tokens, prefix and special ones included, (tokens, h), if it gives them."""

    def project(self, means: NDArray[np.float32]) -> NDArray[np.float32]:
        """What it makes of means over tokens, (n, h) to (n, d)."""


class SentenceTransformersModel:
    """A model of sentence-transformers. Its tail is what follows the pooling, such as a dense layer."""

    def __init__(self, model: SentenceTransformer, *, question: str = "", passage: str = "") -> None:
        from sentence_transformers.sentence_transformer.modules import Pooling

        self.prefixes = (passage, question)
        self._model = model
        parts = list(model)
        pooled = [at for at, part in enumerate(parts) if isinstance(part, Pooling)]
        self._tail = parts[pooled[0] + 1:] if pooled else None
        length = model.max_seq_length
        self.window = int(length) if length and length < 1_000_000 else _WINDOW  # endless: never told
        tokenizer = getattr(model.tokenizer, "backend_tokenizer", None)
        self.tokenizer = tokenizer and _whole(tokenizer)

    def vectors(self, texts: list[str], *, question: bool) -> NDArray[np.float32]:
        """Vectors of whole texts, (n, d)."""
        encode = self._model.encode_query if question else self._model.encode_document
        found = encode(texts, prompt=self.prefixes[question], batch_size=BATCH, show_progress_bar=False)
        return np.asarray(found, np.float32)

    def tokens(self, texts: list[str], *, question: bool) -> list[NDArray[np.float32]] | None:
        """Of each text the vectors of its tokens, (tokens, h); None for a model that pools otherwise."""
        if self._tail is None:
            return None
        encode = self._model.encode_query if question else self._model.encode_document
        found = encode(texts, prompt=self.prefixes[question], batch_size=BATCH, show_progress_bar=False,
                       output_value=None)
        return [each["token_embeddings"][each["attention_mask"].bool()].float().cpu().numpy() for each in found]

    def project(self, means: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the layers after the pooling make of means, (n, h) to (n, d)."""
        import torch

        with torch.inference_mode():
            features = {"sentence_embedding": torch.from_numpy(means).to(self._model.device, self._model.dtype)}
            for part in self._tail or ():
                features = part(features)
            vectors = features["sentence_embedding"][:, :self._model.truncate_dim]
            return np.asarray(vectors.float().cpu().numpy(), np.float32)


class FastEmbedModel:
    """A model of fastembed."""

    def __init__(self, model: TextEmbedding, *, question: str = "", passage: str = "") -> None:
        self.prefixes = (passage, question)
        self._model = model
        tokenizer = getattr(model.model, "tokenizer", None)
        cut = tokenizer and tokenizer.truncation
        self.window = cut["max_length"] if cut else _WINDOW
        self.tokenizer = tokenizer and _whole(tokenizer)

    def vectors(self, texts: list[str], *, question: bool) -> NDArray[np.float32]:
        """Vectors of whole texts, (n, d)."""
        embed = self._model.query_embed if question else self._model.passage_embed
        whole = [self.prefixes[question] + text for text in texts]
        return np.array(list(embed(whole, batch_size=BATCH)), np.float32)

    def tokens(self, texts: list[str], *, question: bool) -> list[NDArray[np.float32]] | None:
        """Of each text the vectors of its tokens, (tokens, h); None for a model without a graph or with tasks."""
        inner = self._model.model
        if not hasattr(inner, "onnx_embed") or hasattr(inner, "PASSAGE_TASK"):
            return None
        found = inner.onnx_embed([self.prefixes[question] + text for text in texts])
        if found.model_output.ndim != 3:
            return None
        pairs = zip(found.model_output, found.attention_mask, strict=True)
        return [hidden[mask.astype(bool)].astype(np.float32) for hidden, mask in pairs]

    def project(self, means: NDArray[np.float32]) -> NDArray[np.float32]:
        """The means themselves."""
        return means


def load_sentence_transformers(files: ModelFiles) -> Model:
    """Load the model from its folder. No code that lies in the folder is run."""
    quiet()
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    model = SentenceTransformer(str(files.folder), local_files_only=True, trust_remote_code=False)
    return SentenceTransformersModel(model, question=files.question, passage=files.passage)


def load_fastembed(files: ModelFiles) -> Model:
    """Load the model from its folder."""
    quiet()
    from fastembed import TextEmbedding

    model = TextEmbedding(files.name.partition(":")[2], specific_model_path=str(files.folder))
    return FastEmbedModel(model, question=files.question, passage=files.passage)


def _whole(tokenizer: Tokenizer) -> Tokenizer:
    """A copy that neither cuts nor pads, so that the model's own stays as it is."""
    copy: Tokenizer = type(tokenizer).from_str(tokenizer.to_str())
    copy.no_truncation()
    copy.no_padding()
    return copy
