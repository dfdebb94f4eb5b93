"""Bytes to text, or one sentence that says why not. Pure."""

from __future__ import annotations

import codecs

from rag.errors import SourceError

# No abstract is longer than this: a longer line is data of another kind, refused before it is decoded or parsed.
LONGEST_RECORD = 1_000_000
# A JSON array may well stand on one line as a whole; beyond this it should be JSON Lines.
LONGEST_ARRAY = 32_000_000
_SAMPLE = 65_536
_KINDS = (
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"PK\x03\x04", "a zip archive or an Office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3", "an SQLite database"),
    (b"{\\rtf", "an RTF document"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"PAR1", "a Parquet file"),
)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip


def decode(data: bytes, file: str) -> str:
    """The file's text, with line feeds as line ends.

    UTF-8, then UTF-16 or UTF-32 where a byte order mark says so, then what charset-normalizer makes of it.

    Raises:
        SourceError: the file is empty, binary, of no known encoding, or has a line no paper would have.
    """
    for magic, kind in _KINDS:
        if data.startswith(magic):
            raise SourceError(f"{file} is {kind}, not text: save the papers as text, JSON Lines, CSV, BibTeX or RIS.")
    _refuse_endless_line(data, file)
    text = _text(data, file)
    if not text.strip():
        raise SourceError(f"{file} is empty: give a file with papers in it.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _refuse_endless_line(data: bytes, file: str) -> None:
    head = data[:64].lstrip(codecs.BOM_UTF8).lstrip()
    limit = LONGEST_ARRAY if head.startswith(b"[") else LONGEST_RECORD
    start = 0
    while len(data) - start > limit:
        # Looked for from the far end of what a line may hold, so that a long file costs few steps.
        end = max(data.rfind(b"\n", start, start + limit), data.rfind(b"\r", start, start + limit))
        if end < 0:
            raise SourceError(
                f"{file} has a line of more than {limit // 1_000_000} MB, which is no abstract: "
                "give one paper a line, or a listing as it was copied from its page."
            )
        start = end + 1


def _text(data: bytes, file: str) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError as error:
                raise SourceError(f"{file} is damaged {encoding.upper()} text: save it again as UTF-8.") from error
    if b"\0" in data:
        raise SourceError(f"{file} is binary, not text: save the papers as text, JSON Lines, CSV, BibTeX or RIS.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        # A download that was cut ends within a character: everything before it is sound.
        if error.start > 0 and len(data) - error.start < 4 and error.reason == "unexpected end of data":
            return data[: error.start].decode("utf-8")
    return _guessed(data, file)


def _guessed(data: bytes, file: str) -> str:
    from charset_normalizer import from_bytes

    sample = data[:_SAMPLE]
    # A few accents and curly quotes in plain letters fit many code pages equally well: then it is the one that
    # people's programs write. In other scripts most letters lie beyond ASCII, and their frequencies tell.
    western = 5 * sum(byte > 127 for byte in sample) < len(sample)
    candidates = ["cp1252"] * western + [match.encoding for match in from_bytes(sample)]
    for encoding in candidates:
        try:
            text = data.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
        if sum(c < " " and c not in "\t\n\r\v\f" for c in text[:_SAMPLE]) * 100 < min(len(text), _SAMPLE):
            return text
    raise SourceError(f"{file} is in no encoding Vouch knows, or is not text: save it as UTF-8.")
