"""The prompts: one Markdown file each, with $name placeholders."""

from __future__ import annotations

import hashlib
import re
import string
from dataclasses import dataclass
from importlib import resources


class PromptError(ValueError):
    """A prompt does not exist, or was filled with too few or too many variables: a mistake in the code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A prompt's text. ``$$`` in it stands for a dollar sign."""

    name: str
    text: str

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the placeholders, in order of first use."""
        return tuple(string.Template(self.text).get_identifiers())

    @property
    def fingerprint(self) -> str:
        """The first 12 hex digits of the text's SHA-256: two runs with the same one asked the same way."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:12]

    def fill(self, **values: object) -> str:
        """The text with every placeholder replaced; values are never themselves read as templates.

        Raises:
            PromptError: a placeholder has no value, or a value has no placeholder.
        """
        missing = [name for name in self.variables if name not in values]
        superfluous = [name for name in values if name not in self.variables]
        if missing or superfluous:
            told = [f"{what}: {', '.join(names)}" for what, names in
                    (("missing", missing), ("superfluous", superfluous)) if names]
            raise PromptError(f"The prompt {self.name}.md takes {', '.join(self.variables) or 'nothing'}; "
                              + "; ".join(told) + ".")
        return string.Template(self.text).substitute(values)


def names() -> tuple[str, ...]:
    """Every prompt's name, sorted."""
    files = resources.files(__name__).iterdir()
    return tuple(sorted(file.name.removesuffix(".md") for file in files if file.name.endswith(".md")))


def load(name: str) -> Prompt:
    """The prompt in ``<name>.md``, without the blank lines around it.

    Raises:
        PromptError: there is none.
    """
    if name not in names():
        raise PromptError(f"There is no prompt {name}; there are {', '.join(names())}.")
    prompt = Prompt(name=name, text=resources.files(__name__).joinpath(f"{name}.md").read_text("utf-8").strip())
    if not string.Template(prompt.text).is_valid():
        raise PromptError(f"The prompt {name}.md has a $ that starts no placeholder; write $$ for a dollar sign.")
    return prompt


def fingerprints() -> str:
    """A line for each prompt with its fingerprint, as the changelog has them."""
    return "".join(f"    {name:<16} {load(name).fingerprint}\n" for name in names())


def renewed(changelog: str) -> str:
    """A changelog with the fingerprints of now in its first block of them.

    Raises:
        PromptError: it has none.
    """
    text, found = re.subn(r"(?m)(?:^    [\w-]+ +[0-9a-f]{12}\n)+", fingerprints(), changelog, count=1)
    if not found:
        raise PromptError("The changelog has no block of prompts' fingerprints; put one line of it where it is to be: "
                          "four blanks, a name, a blank, 12 hex digits.")
    return text
