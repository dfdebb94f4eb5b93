"""Settings: what is read, from where, and what is refused."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rag.errors import SettingsError
from rag.settings import FIELDS, Settings, load, quiet, tiktoken_folder
from tests.stubs import StubModel

KEY = "sk-very-secret-0123456789"


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    return tmp_path / "some.env"


def test_nothing_given_means_no_model_and_no_key(env_file: Path) -> None:
    env_file.write_text("")
    settings = load(env_file, {})
    assert settings == Settings()
    assert (settings.model, settings.openai_api_key, settings.embeddings, settings.timeout) == (None, None, "local", 60)
    assert settings.library.name == "library"


def test_every_setting_is_read(env_file: Path) -> None:
    env_file.write_text("")
    settings = load(env_file, {
        "VOUCH_LIBRARY": "~/papers", "VOUCH_MODEL": "llama3.1:8b", "VOUCH_EMBEDDINGS": "local",
        "VOUCH_CHROMA_URL": "http://localhost:8000/", "VOUCH_TIMEOUT": "2.5", "VOUCH_CONTEXT": "16384",
        "VOUCH_DEEP": "yes", "VOUCH_JUDGE": "openai:gpt-5-nano", "VOUCH_MAX_COST": "$0.50", "VOUCH_PRICE": "0.25 / $2",
        "OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": "http://localhost:11434/v1/"})
    assert settings.library == Path.home() / "papers"
    assert (settings.model, settings.timeout, settings.context) == ("llama3.1:8b", 2.5, 16384)
    assert (settings.deep, settings.judge) == (True, "openai:gpt-5-nano")
    assert (settings.max_cost, settings.price) == (0.5, (0.25, 2.0))
    assert settings.chroma_url == "http://localhost:8000"
    assert (settings.openai_api_key, settings.openai_base_url) == (KEY, "http://localhost:11434/v1")


def test_the_key_is_never_shown() -> None:
    settings = Settings(openai_api_key=KEY)
    assert KEY not in f"{settings} {settings!r}"
    with pytest.raises(SettingsError, match="OPENAI_API_KEY is not shown here") as error:
        load(None, {"OPENAI_API_KEY": f"{KEY} and more"})
    assert KEY not in str(error.value)


def test_the_environment_wins_over_the_file_and_empty_counts_as_none(env_file: Path) -> None:
    env_file.write_text('VOUCH_MODEL="from-file"\nVOUCH_TIMEOUT=5\nOPENAI_API_KEY=\n')
    settings = load(env_file, {"VOUCH_MODEL": "from-environment", "VOUCH_TIMEOUT": "  "})
    assert (settings.model, settings.timeout, settings.openai_api_key) == ("from-environment", 5, None)


def test_a_file_is_taken_as_written_without_other_variables(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_SECRET", KEY)
    env_file.write_text("VOUCH_MODEL=${SOME_SECRET}\n")
    assert load(env_file, {}).model == "${SOME_SECRET}"


def test_the_current_folder_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("VOUCH_MODEL=lying-about\n")
    assert load(None, {}).model is None


@pytest.mark.skipif(sys.platform != "linux", reason="the configuration folder's place differs")
def test_the_configuration_folder_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "vouch").mkdir()
    (tmp_path / "vouch" / ".env").write_text("VOUCH_MODEL=chosen\n")
    assert load(None, {}).model == "chosen"


@pytest.mark.parametrize(("given", "told"), [
    ({"VOUCH_MODLE": "x"}, r"VOUCH_MODLE.*VOUCH_MODEL"),
    ({"VOUCH_TIMEOUT": "soon"}, r"VOUCH_TIMEOUT is 'soon'.*seconds"),
    ({"VOUCH_TIMEOUT": "0"}, "VOUCH_TIMEOUT"),
    ({"VOUCH_TIMEOUT": "nan"}, "VOUCH_TIMEOUT"),
    ({"VOUCH_TIMEOUT": "inf"}, "VOUCH_TIMEOUT"),
    ({"VOUCH_CONTEXT": "8k"}, "VOUCH_CONTEXT is '8k'.*tokens"),
    ({"VOUCH_CONTEXT": "100"}, "VOUCH_CONTEXT"),
    ({"VOUCH_DEEP": "maybe"}, "VOUCH_DEEP is 'maybe'.*yes or no"),
    ({"VOUCH_MAX_COST": "a dollar"}, "VOUCH_MAX_COST is 'a dollar'.*dollars, 0 or more"),
    ({"VOUCH_MAX_COST": "-1"}, "VOUCH_MAX_COST"),
    ({"VOUCH_MAX_COST": "inf"}, "VOUCH_MAX_COST"),
    ({"VOUCH_PRICE": "2"}, "VOUCH_PRICE is '2'.*slash between.*0.25/2"),
    ({"VOUCH_PRICE": "1/2/3"}, "VOUCH_PRICE"),
    ({"VOUCH_PRICE": "1/-2"}, "VOUCH_PRICE"),
    ({"VOUCH_CHROMA_URL": "localhost:8000"}, "VOUCH_CHROMA_URL.*http://"),
    ({"OPENAI_BASE_URL": "http://"}, "OPENAI_BASE_URL"),
    ({"OPENAI_BASE_URL": "http://[::1"}, "OPENAI_BASE_URL"),
])
def test_what_cannot_be_used_is_refused_in_a_sentence(given: dict[str, str], told: str) -> None:
    with pytest.raises(SettingsError, match=told) as error:
        load(None, given)
    assert "\n" not in str(error.value)


def test_a_settings_file_that_is_missing_or_binary_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no settings file"):
        load(tmp_path / "absent.env", {})
    (tmp_path / "binary.env").write_bytes(b"VOUCH_MODEL=\xff\xfe\n")
    with pytest.raises(SettingsError, match="cannot be read"):
        load(tmp_path / "binary.env", {})


def test_the_example_names_every_setting_and_sets_none(tmp_path: Path) -> None:
    example = Path(__file__).parent.parent / ".env.example"
    lines = example.read_text("utf-8").splitlines()
    named = [found[1] for line in lines if (found := re.match(r"# ([A-Z_]+)=", line))]
    assert named == [field.name for field in FIELDS]
    assert load(example, {}) == Settings()
    filled = tmp_path / "filled.env"
    filled.write_text("\n".join(re.sub(r"^# ([A-Z_]+=)", r"\1", line) for line in lines))
    assert load(filled, {}).model


def test_what_quiet_forbids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"LANGCHAIN_TRACING_V2": "true", "ANONYMIZED_TELEMETRY": "True", "HOME": "/h"})
    quiet()
    assert os.environ["LANGCHAIN_TRACING_V2"] == "false"
    assert os.environ["LANGSMITH_TRACING"] == "false"
    assert os.environ["ANONYMIZED_TELEMETRY"] == "False"
    assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"
    assert os.environ["HOME"] == "/h"


@pytest.mark.slow
def test_a_tracing_switch_in_the_environment_sends_nothing() -> None:
    """Without quiet() the switch works, so what is switched off is the right one."""
    program = ("import sys\n"
               "from rag.settings import quiet\n"
               "sys.argv[1:] and quiet()\n"
               "from langsmith.utils import tracing_is_enabled\n"
               "print(tracing_is_enabled())\n"
               "if sys.argv[1:]:\n"
               "    from langchain_core.language_models import GenericFakeChatModel\n"
               "    from langchain_core.messages import AIMessage\n"
               "    from langchain_core.tracers.langchain import wait_for_all_tracers\n"
               "    GenericFakeChatModel(messages=iter([AIMessage('hello')])).invoke('hi')\n"
               "    wait_for_all_tracers()\n")
    with StubModel() as stub:
        environ = {**os.environ, "LANGSMITH_TRACING": "true", "LANGCHAIN_TRACING_V2": "true", "LANGSMITH_API_KEY": KEY,
                   "LANGSMITH_ENDPOINT": stub.url, "PYTHONPATH": os.pathsep.join([str(Path.cwd()), *sys.path])}
        told = [subprocess.run([sys.executable, "-c", program, *hushed], env=environ, check=True, timeout=60,
                               capture_output=True, text=True).stdout.split()[0] for hushed in ([], ["hush"])]
    assert told == ["True", "False"]
    assert not stub.requests
    assert not stub.client_left.is_set()


def test_where_tiktoken_keeps_its_files(tmp_path: Path) -> None:
    assert tiktoken_folder({"TIKTOKEN_CACHE_DIR": str(tmp_path), "DATA_GYM_CACHE_DIR": "/other"}) == tmp_path
    assert tiktoken_folder({"TIKTOKEN_CACHE_DIR": ""}) is None
    default = tiktoken_folder({})
    assert default is not None
    assert default.name == "data-gym-cache"
