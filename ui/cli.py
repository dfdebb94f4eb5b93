"""The command line's entry, and how it ends. What can be said is in `arguments`, the work in `commands`.

Exit codes: 0 done (an abstention is done), 1 a failure (one sentence on standard error), 2 wrong usage,
130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout

from ui.arguments import UsageError, build_parser, parse


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command line.

    Args:
        argv: the words after `vouch`; None takes the process's own.

    Returns:
        The exit code.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        code = _run(words)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has seen enough. What is still buffered must not fail again when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _run(words: list[str]) -> int:
    if not words:
        build_parser().print_help()
        return 0
    try:
        args = parse(words)
    except UsageError as error:
        return _fail(str(error), 2, "--json" in words)
    except SystemExit as stop:  # --help and --version have printed what was asked for
        return int(stop.code or 0)
    try:
        from ui import commands
        from ui.terminal import Terminal

        terminal = Terminal(as_json=args.json, quiet=args.quiet)
        # What a dependency prints must not get between the lines of a JSON document.
        with redirect_stdout(sys.stderr if args.json else sys.stdout):
            return commands.run(args, terminal)
    except UsageError as error:
        return _fail(str(error), 2, args.json)
    except KeyboardInterrupt:
        kept = "; what was ingested so far is kept" if args.run == "ingest" else ""
        return _fail(f"interrupted{kept}", 130, args.json)
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the outermost door: every failure is told in one sentence
        from rag.errors import VouchError

        if args.debug:
            import traceback

            traceback.print_exc()
        foreseen = isinstance(error, (VouchError, OSError))
        told = str(error) if foreseen else f"{type(error).__name__}: {error}; `--debug` shows where it happened"
        return _fail(" ".join(told.split()), 1, args.json)


def _fail(sentence: str, code: int, as_json: bool) -> int:
    if as_json:
        import json

        print(json.dumps({"error": sentence}))
    print(f"vouch: {sentence}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
