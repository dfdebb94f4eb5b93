"""Every error Vouch raises on purpose.

VouchError
├── SettingsError          a setting has a value that cannot be used
├── SourceError            an input cannot be read as a whole (absent, empty, binary, no papers in it)
├── LibraryError           the library cannot do what was asked
│   ├── NoLibraryError     there is none at that place yet
│   ├── BusyError          another process is writing
│   ├── EmbedderError      the library was made with another embedder, or the embedder cannot be had
│   ├── NoPaperError       no paper has that id
│   └── ProjectionError    Chroma or the word index cannot be reached or written
└── ModelError             the language model failed; an answer falls back, it never ends in this

Each message names the value at fault and says what to do next. Only a door (a command, the page) turns one into
a sentence for a person.
"""

from __future__ import annotations


class VouchError(Exception):
    """The root: catch this to catch everything Vouch raises on purpose."""


class SettingsError(VouchError):
    """A setting has a value that cannot be used."""


class SourceError(VouchError):
    """An input cannot be read as a whole."""


class LibraryError(VouchError):
    """The library cannot do what was asked."""


class NoLibraryError(LibraryError):
    """There is no library at that place yet."""


class BusyError(LibraryError):
    """Another process is writing to the library."""


class EmbedderError(LibraryError):
    """The library was made with another embedder, or the embedder cannot be had."""


class NoPaperError(LibraryError):
    """No paper has that id."""


class ProjectionError(LibraryError):
    """Chroma or the word index cannot be reached or written."""


class ModelError(VouchError):
    """The language model failed."""
