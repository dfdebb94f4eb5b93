"""Models by name or folder: found, told apart, and fetched once by a process of its own, from a loopback hub."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from rag.embed import open_embedder
from rag.embedders.fetch import loaded
from rag.embedders.hub import prefixes, sentence_transformers_files
from rag.errors import EmbedderError, SettingsError


def write(folder: Path, **files: Any) -> Path:
    """A folder of JSON files, and weights that only have to be there."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.safetensors").write_bytes(b"numbers")
    for name, value in files.items():
        (folder / f"{name}.json").write_text(json.dumps(value))
    return folder


@pytest.mark.parametrize(("name", "question", "passage"), [
    ("intfloat/e5-base-v2", "query: ", "passage: "),
    ("intfloat/multilingual-e5-large", "query: ", "passage: "),
    ("intfloat/multilingual-e5-large-instruct", "", ""),
    ("BAAI/bge-base-en-v1.5", "Represent this sentence for searching relevant passages: ", ""),
    ("BAAI/bge-m3", "", ""),
    ("snowflake/snowflake-arctic-embed-l-v2.0", "query: ", ""),
    ("sentence-transformers/all-MiniLM-L6-v2", "", ""),
])
def test_known_families_have_their_prefixes(name: str, question: str, passage: str) -> None:
    assert prefixes(name, {}) == (question, passage)


def test_a_models_own_prompts_come_first() -> None:
    assert prefixes("BAAI/bge-base-en-v1.5", {"query": "Find: ", "passage": None}) == ("Find: ", "")
    assert prefixes("my/e5-base", {"query": "", "document": None}) == ("query: ", "passage: ")


class TestFiles:
    def test_a_folder_is_read_whole(self, tmp_path: Path) -> None:
        folder = write(tmp_path / "my-model", modules=[{"path": ""}, {"path": "2_Dense"}], config={"layers": 6},
                       config_sentence_transformers={"prompts": {"query": "q: ", "document": "d: "}})
        (folder / "2_Dense").mkdir()
        (folder / "2_Dense" / "pytorch_model.bin").write_bytes(b"more numbers")
        (folder / "pytorch_model.bin").write_bytes(b"the same numbers in another format")
        files = sentence_transformers_files(str(folder))
        assert files.name == "sentence-transformers:my-model"
        assert [path.relative_to(folder).as_posix() for path in files.weights] == [
            "model.safetensors", "2_Dense/pytorch_model.bin"]
        assert (files.question, files.passage) == ("q: ", "d: ")

    def test_identity_follows_what_shapes_the_vectors_and_nothing_else(self, tmp_path: Path) -> None:
        first = write(tmp_path / "one" / "model", config={"layers": 6})
        copied = write(tmp_path / "two" / "model", config={"layers": 6})
        (copied / "README.md").write_text("Hello.")
        assert (identity := sentence_transformers_files(str(first)).identity) == (
            sentence_transformers_files(str(copied)).identity)
        write(copied, config={"layers": 7})
        assert sentence_transformers_files(str(copied)).identity != identity
        write(copied, config={"layers": 6}, config_sentence_transformers={"prompts": {"query": "q: "}})
        assert sentence_transformers_files(str(copied)).identity != identity
        (first / "model.safetensors").write_bytes(b"other numbers")
        assert sentence_transformers_files(str(first)).identity != identity

    def test_a_file_in_the_hubs_cache_is_known_by_its_name(self, tmp_path: Path) -> None:
        plain = write(tmp_path / "plain" / "model")
        blob = tmp_path / hashlib.sha256(b"numbers").hexdigest()
        blob.write_bytes(b"never read")
        stored = tmp_path / "stored" / "model"
        stored.mkdir(parents=True)
        (stored / "model.safetensors").symlink_to(blob)
        assert sentence_transformers_files(str(stored)).identity == sentence_transformers_files(str(plain)).identity

    @pytest.mark.parametrize(("files", "told"), [({}, "no weights"), ({"modules.json": "{"}, "modules.json")])
    def test_a_folder_that_is_no_model_is_named(self, tmp_path: Path, files: dict[str, str], told: str) -> None:
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        with pytest.raises(EmbedderError, match=told) as caught:
            sentence_transformers_files(str(tmp_path))
        assert str(tmp_path) in str(caught.value)

    @pytest.mark.parametrize("name", ["/no/such/folder", "./models/mine", "~/models/mine", "a b/c"])
    def test_a_missing_folder_is_never_asked_of_the_hub(self, name: str) -> None:
        with pytest.raises(EmbedderError, match="There is no folder"):
            sentence_transformers_files(name)


def test_each_folders_weights_are_fetched_in_one_format() -> None:
    assert loaded([
        ".gitattributes", "README.md", "config.json", "model.safetensors", "pytorch_model.bin", "tf_model.h5",
        "onnx/model.onnx", "openvino/openvino_model.bin", "2_Dense/pytorch_model.bin", "2_Dense/config.json",
        "vocab.txt", "sentencepiece.bpe.model",
    ]) == ["config.json", "model.safetensors", "2_Dense/pytorch_model.bin", "2_Dense/config.json", "vocab.txt",
           "sentencepiece.bpe.model"]


@pytest.mark.parametrize("package", ["fastembed", "sentence-transformers"])
def test_a_missing_package_says_what_to_install(package: str) -> None:
    if importlib.util.find_spec(package.replace("-", "_")):
        pytest.skip(f"{package} is installed")
    with pytest.raises(SettingsError, match=rf'"{package}:some/model" needs .* -m pip install {package}`') as caught:
        open_embedder(f"{package}:some/model")
    assert "\n" not in str(caught.value)


# --- the hub, on the loopback ------------------------------------------------------------------------------------

COMMIT = "a" * 40


class Hub:
    """A model hub that has one repository, and remembers what it was asked."""

    def __init__(self, files: dict[str, bytes]) -> None:
        asked: list[str] = []
        self.asked = asked

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                asked.append(self.path)
                path = self.path.partition("?")[0]
                about = {"id": "some/model", "sha": COMMIT, "siblings": [{"rfilename": name} for name in files]}
                tree = [{"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
                        for name, data in files.items()]
                if path.startswith("/some/model/resolve/"):
                    self._send(files.get(path.split("/", 5)[5]), etag=True)
                elif path.startswith("/api/models/some/model"):
                    self._send(json.dumps(tree if "/tree/" in path else about).encode())
                else:
                    self._send(None)

            do_HEAD = do_GET  # noqa: N815 - the server's name for it

            def _send(self, body: bytes | None, etag: bool = False) -> None:
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Length", str(len(body or b"")))
                self.send_header("X-Repo-Commit", COMMIT)
                if body is not None and etag:
                    self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body or b"")

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def hub() -> Iterator[Hub]:
    made = Hub({"config.json": b"{}", "1_Pooling/config.json": b"{}", "model.safetensors": b"numbers",
                "pytorch_model.bin": b"numbers", "tokenizer.json": b"{}", "README.md": b""})
    yield made
    made.close()


def find(name: str, hub: Hub, tmp_path: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """What a process of Vouch's finds under that name, with a cache of its own."""
    program = ("import sys\nfrom rag.embedders.hub import sentence_transformers_files\n"
               "from rag.errors import VouchError\n"
               "try: files = sentence_transformers_files(sys.argv[1])\n"
               "except VouchError as error: sys.exit(str(error))\n"
               "from huggingface_hub import constants\n"
               "print(files.identity, files.folder, constants.HF_HUB_OFFLINE)\n")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "TRANSFORMERS_"))}
    return subprocess.run([sys.executable, "-c", program, name], capture_output=True, text=True, check=False, env={
        **kept, "HF_HOME": str(tmp_path / "cache"), "HF_ENDPOINT": hub.url, "PYTHONPATH": os.pathsep.join(sys.path),
        **environ})


@pytest.mark.slow
class TestFetching:
    def test_a_named_model_is_fetched_once_by_a_process_of_its_own(self, hub: Hub, tmp_path: Path) -> None:
        done = find("some/model", hub, tmp_path)
        assert done.returncode == 0, done.stderr
        identity, folder, offline = done.stdout.split()
        assert identity.startswith("sentence-transformers:some/model@")
        assert offline == "True"
        assert sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file()) == [
            "1_Pooling/config.json", "config.json", "model.safetensors", "tokenizer.json"]
        hub.asked.clear()
        assert find("some/model", hub, tmp_path).stdout == done.stdout
        assert hub.asked == []

    def test_a_model_that_the_hub_does_not_have_is_one_sentence(self, hub: Hub, tmp_path: Path) -> None:
        done = find("some/other", hub, tmp_path)
        assert done.stdout == ""
        assert "some/other" in done.stderr
        assert "Error" in done.stderr
        assert len(done.stderr.splitlines()) == 1

    def test_who_is_offline_by_choice_stays_offline(self, hub: Hub, tmp_path: Path) -> None:
        done = find("some/model", hub, tmp_path, HF_HUB_OFFLINE="1")
        assert "could not be fetched" in done.stderr
        assert hub.asked == []

    def test_a_hub_that_cannot_be_reached_is_one_sentence(self, hub: Hub, tmp_path: Path) -> None:
        done = find("some/model", hub, tmp_path, HF_ENDPOINT="http://127.0.0.1:9")
        assert "check its name and the network" in done.stderr
        assert len(done.stderr.splitlines()) == 1
