"""The README says what is so: its commands parse, its settings are the settings."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from rag.settings import FIELDS
from ui.arguments import parse

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [line.removeprefix("$ ").split(" #")[0].strip() for line in README.splitlines()
            if re.match(r"(\$ )?vouch [a-z]", line)]


def test_there_are_commands_to_check() -> None:
    assert len(COMMANDS) >= 10


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_one(command: str) -> None:
    words = [word for word in shlex.split(command)[1:] if not word.startswith("#")]
    assert parse(words).run


def test_the_table_of_settings_is_the_settings() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.+?) \| (.+?) \|$", README, flags=re.MULTILINE)
    assert rows == [(field.name, field.doc, field.default) for field in FIELDS]


def test_pictures_are_there() -> None:
    assert all((ROOT / path).is_file() for path in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README))


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"^make ([a-z]+)|`make ([a-z]+)", README, flags=re.MULTILINE)):
        assert re.search(rf"^{''.join(target)}:", makefile, flags=re.MULTILINE), target


def test_nothing_is_left_to_fill_in() -> None:
    assert "@@" not in README
