"""A digest read back from the JSON that it was written to. Pure."""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from rag.errors import SourceError
from rag.survey import Digest, Outline

T = TypeVar("T")


def from_json(text: str | bytes) -> Digest:
    """The digest that a file of `vouch digest --json` holds.

    Raises:
        SourceError: the text is no such digest; the message says where it is not.
    """
    made = _read(text, Digest, "digest")
    labels = {reference.label for reference in made.references}
    strange = [name for name, found in (("table", {row.label for row in made.table}),
                                        ("map", {point.label for point in made.map})) if found - labels]
    if strange or any(not 0 <= point.section < len(made.sections) for point in made.map):
        place = (strange or ["map"])[0]
        raise SourceError(f"This is no digest as `vouch digest --json` writes it: digest.{place} names a paper or "
                          "a section that it does not have.")
    return made


def outline_from_json(text: str | bytes) -> Outline:
    """The outline that was written to JSON, and perhaps edited since.

    Raises:
        SourceError: the text is no outline; the message says where it is not.
    """
    return _read(text, Outline, "outline")


def _read(text: str | bytes, kind: type[T], name: str) -> T:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"This is no {name}: it is not JSON ({error}).") from error
    try:
        made: T = _made(kind, document, name)
    except _UnfitError as error:
        raise SourceError(f"This is no {name} as `vouch digest --json` writes it: {error}.") from error
    return made


class _UnfitError(Exception):
    """A value is not what its place wants."""


@cache
def _hints(kind: type[Any]) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _made(kind: Any, value: Any, place: str) -> Any:  # noqa: ANN401 - types and JSON
    """The value as its type has it. Unknown fields are left out: a later version may have more."""
    if dataclasses.is_dataclass(kind):
        if not isinstance(value, dict):
            raise _UnfitError(f"{place} is not an object")
        hints = _hints(kind)  # type: ignore[arg-type]
        given = {name: _made(hints[name], item, f"{place}.{name}") for name, item in value.items() if name in hints}
        missing = [each.name for each in dataclasses.fields(kind) if each.name not in given
                   and each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING]
        if missing:
            raise _UnfitError(f"{place} has no {missing[0]!r}")
        return kind(**given)  # type: ignore[operator]
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return None if value is None and type(None) in inner else _made(
            next(each for each in inner if each is not type(None)), value, place)
    if origin is Literal:
        if value not in inner:
            raise _UnfitError(f"{place} is {value!r}, not one of {', '.join(map(repr, inner))}")
        return value
    if origin is tuple:
        if not isinstance(value, list):
            raise _UnfitError(f"{place} is not a list")
        kinds = [inner[0]] * len(value) if inner[-1] is Ellipsis else list(inner)
        if len(kinds) != len(value):
            raise _UnfitError(f"{place} has {len(value)} items, not {len(kinds)}")
        return tuple(_made(each, item, f"{place}[{at}]")
                     for at, (each, item) in enumerate(zip(kinds, value, strict=True)))
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, dict):
            raise _UnfitError(f"{place} is not an object")
        return {str(key): _made(inner[1], item, f"{place}.{key}") for key, item in value.items()}
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise _UnfitError(f"{place} is {value!r}, not {kind.__name__}")
    return value
