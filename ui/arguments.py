"""What can be said to `vouch`: the parser, and what its options mean. Nothing heavy is imported: help is instant."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeAlias

if TYPE_CHECKING:
    from rag.schema import Where

EPILOG = """\
examples:
  vouch ingest --sample                        a few bundled papers, to try it out
  vouch ingest papers.bib listing.txt saved/   files of any listing format, or folders of them
  vouch ask "How is reward hacking measured?"
  vouch check "Ensembles end reward hacking"   what the papers say for it and against it
  vouch digest "reward overoptimization"       a survey of a topic, to paste into a paper
  vouch serve --open                           the same in the browser

`vouch COMMAND --help` tells more. Nothing is sent anywhere unless VOUCH_MODEL names a language model.
"""


_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


class UsageError(Exception):
    """What was asked for is not what the command takes; the message says which part."""


class _Parser(argparse.ArgumentParser):
    """Raises where argparse would exit, and takes options between and behind the words of a command."""

    _within = False

    def __init__(self, prog: str | None = None, *, description: str, epilog: str | None,
                 parents: Sequence[argparse.ArgumentParser]) -> None:
        super().__init__(prog, description=description, epilog=epilog, parents=parents, allow_abbrev=False,
                         formatter_class=argparse.RawDescriptionHelpFormatter)

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see `{self.prog} --help`")

    def parse_known_args(  # type: ignore[override]
            self, args: Sequence[str], namespace: argparse.Namespace | None = None,
    ) -> tuple[argparse.Namespace, list[str]]:
        # Intermixed parsing calls back here for its two passes, and knows neither subcommands nor "--".
        if self._within or self._subparsers is not None or "--" in args:
            return super().parse_known_args(args, namespace)
        self._within = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._within = False


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"vouch {version('vouch')}")
        parser.exit()


def build_parser() -> argparse.ArgumentParser:
    """The whole command line. Each command's parser sets ``run`` to its function's name in `ui.commands`."""
    common = _common()
    parser: argparse.ArgumentParser = _Parser(
        "vouch", parents=[common], epilog=EPILOG,
        description="Ask a pile of papers: answers with citations, every sentence checked against the abstracts.")
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = argparse.ArgumentParser.add_subparsers(
        parser, title="commands", metavar="COMMAND", dest="command", required=True)

    def command(name: str, text: str, examples: str = "", of: _Commands = commands, run: str = "",
                parents: Sequence[argparse.ArgumentParser] = ()) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = of.add_parser(
            name, help=text, description=f"{text[0].upper()}{text[1:]}.", parents=[common, *parents],
            epilog=f"examples:\n{examples}" if examples else None)
        made.set_defaults(run=run or name)
        return made

    filters = _filters()
    ingest = command("ingest", "read papers from files and folders into the library",
                     "  vouch ingest papers.jsonl\n  vouch ingest *.txt saved-pages/ --prune\n  vouch ingest --sample")
    ingest.add_argument("paths", metavar="PATH", nargs="*", help="a file in any listing format, or a folder of them")
    ingest.add_argument("--sample", action="store_true", help="also the papers that come with Vouch")
    ingest.add_argument("--prune", action="store_true", help="remove papers that are gone from these files")
    ingest.add_argument("-q", "--quiet", action="store_true", help="no progress")

    search = command("search", "find papers", '  vouch search "reward overoptimization" -k 5 --since 2023\n'
                     '  vouch search "papers on rewards since 2023"    (the same, said in words)\n'
                     '  vouch search --like p000012ab34cd', parents=[filters])
    search.add_argument("query", metavar="QUERY", nargs="*", help="what to look for")
    search.add_argument("--like", metavar="ID", help="papers like this one, with the sentences they share")
    search.add_argument("--explain", action="store_true", help="also each paper's rank and score in every view of it")
    search.add_argument("-k", metavar="N", type=_count, default=10, help="how many papers (default 10)")
    search.add_argument("--deep", action="store_true", help="let the model put it in other words and order the papers")

    ask = command("ask", "answer a question from the papers, with citations; without a question, one after the other",
                  '  vouch ask "Which papers study reward hacking?" --since 2023\n  vouch ask          (Ctrl-D ends)\n'
                  '  vouch ask "Is chain of thought faithful?" --show-prompt    (sends nothing)', parents=[filters])
    ask.add_argument("question", metavar="QUESTION", nargs="*", help="the question")
    ask.add_argument("--deep", action="store_true", help="let the model also help to search (else as VOUCH_DEEP says)")
    ask.add_argument("--engine", choices=("extractive", "llm"), help="quote the papers, or let the model write")
    ask.add_argument("--withheld", action="store_true", help="also print the sentences that failed their check")
    ask.add_argument("--fresh", action="store_true", help="let the model write anew what it has answered before")
    ask.add_argument("--show-prompt", action="store_true", help="print what a model would be sent, and send nothing")

    check = command("check", "weigh a claim: which papers speak for it, which against it",
                    '  vouch check "process supervision beats outcome supervision on MATH"\n'
                    '  vouch check "Ensembles end reward hacking" --since 2023 --json', parents=[filters])
    check.add_argument("claim", metavar="CLAIM", nargs="*", help="a statement that papers can support or contradict")
    check.add_argument("--engine", choices=("extractive", "llm"), help="by the papers' words, or as a model reads them")

    digest = command("digest", "survey a topic: what its papers share, add and disagree on, cited and checked",
                     '  vouch digest "reward overoptimization"\n'
                     '  vouch digest "reward models" --length full --out survey.pdf --out survey.json\n'
                     "  vouch digest --new-since 7d                        (all that came in the last week)\n"
                     "  vouch digest reward models --outline --out o.json  (edit it, then:)\n"
                     "  vouch digest --from-outline o.json --out survey.md\n"
                     "  vouch digest --update survey.json                  (adds what is new since)", parents=[filters])
    digest.add_argument("topic", metavar="TOPIC", nargs="*", help="what to survey; none: all the papers of a filter")
    _survey(digest)
    digest.add_argument("--out", metavar="FILE", type=Path, action="append", default=[],
                        help="write it: .md, .html, .pdf, .docx, .tex, .bib, .ris, .csl.json or .json; may be repeated")
    digest.add_argument("--outline", action="store_true", help="only the outline; with --out FILE.json to be edited")
    digest.add_argument("--from-outline", metavar="FILE", type=Path, help="write what this outline says")
    digest.add_argument("--update", metavar="FILE", type=Path,
                        help="bring a digest that was written as JSON up to date, and tell what changed")
    digest.add_argument("--withheld", action="store_true", help="also print the sentences that failed their check")

    follow = command("follow", "follow topics: after an ingest, a digest of only what is new").add_subparsers(
        title="commands", metavar="COMMAND", dest="follow_command", required=True)
    following = command("add", "follow a topic from now on", '  vouch follow add "reward models" --since 2024',
                        of=follow, run="follow_add", parents=[filters])
    following.add_argument("topic", metavar="TOPIC", nargs="+", help="what to follow")
    command("list", "list the topics that are followed", of=follow, run="follow_list")
    leaving = command("remove", "follow a topic no longer", of=follow, run="follow_remove")
    leaving.add_argument("topic", metavar="TOPIC", nargs="+", help="as `vouch follow list` prints it")
    running = command("run", "tell what is new on each topic since the last run",
                      "  vouch ingest listing.txt && vouch follow run --out news/", of=follow, run="follow_run")
    _survey(running)
    running.add_argument("--out", metavar="DIR", type=Path, help="write a file a topic into this folder")
    running.add_argument("--format", dest="formats", action="append", help="of what kind (default md); may be repeated",
                         choices=("md", "html", "pdf", "docx", "tex", "json"))

    papers = command("papers", "look at the papers and mend them").add_subparsers(
        title="commands", metavar="COMMAND", dest="papers_command", required=True)
    listing = command("list", "list the papers", "  vouch papers list --sort year --tag survey", of=papers,
                      run="papers_list", parents=[filters])
    listing.add_argument("--sort", choices=("year", "title"), help="newest first, or by title (default: by arrival)")
    show = command("show", "show one paper with all that is known of it", of=papers, run="papers_show")
    show.add_argument("id", metavar="ID", help="as `vouch papers list` prints it")
    edit = command("edit", "correct a paper's title or year; later ingests keep the correction", of=papers,
                   run="papers_edit")
    edit.add_argument("id", metavar="ID", help="as `vouch papers list` prints it")
    edit.add_argument("--title", metavar="TITLE", help="the right title")
    edit.add_argument("--year", metavar="YEAR", type=_year, help="the right year")
    tag = command("tag", "tag a paper", "  vouch papers tag p000012ab34cd survey to-read", of=papers, run="papers_tag")
    tag.add_argument("id", metavar="ID", help="as `vouch papers list` prints it")
    tag.add_argument("tags", metavar="TAG", nargs="+", help="any word")
    tag.add_argument("--remove", action="store_true", help="take the tags away instead")
    remove = command("remove", "remove papers, or all that was read from a file", of=papers, run="papers_remove")
    remove.add_argument("ids", metavar="ID", nargs="*", help="papers to remove")
    remove.add_argument("--file", metavar="NAME", dest="files", action="append", default=[],
                        help="remove what was read from this file")
    remove.add_argument("--yes", action="store_true", help="do not ask")

    export = command("export", "write the papers to a file that other programs read",
                     "  vouch export papers.bib\n  vouch export survey.ris --tag survey", parents=[filters])
    export.add_argument("path", metavar="PATH", type=Path, help="the file to write: .jsonl, .bib, .ris or .csv")
    export.add_argument("--format", choices=("jsonl", "bibtex", "ris", "csv"), help="where the name does not tell it")

    evaluate = command("eval", "measure retrieval and answers on judged questions, or the checker", "  vouch eval "
                       "questions.jsonl\n  vouch eval --checker    (on the library's own sentences)", run="evaluate")
    evaluate.add_argument("path", metavar="PATH", type=Path, nargs="?",
                          help="questions (JSONL), or a folder in BEIR layout")
    evaluate.add_argument("--checker", action="store_true",
                          help="how many faithful and corrupted statements the checker flags (PATH: of its papers)")
    evaluate.add_argument("--seed", metavar="N", type=_seed, default=0,
                          help="other statements for the checker (default 0)")

    serve = command("serve", "open the library in the browser",
                    "  vouch serve --open\n  vouch serve --papers listing.txt    (a library of its own)")
    serve.add_argument("--host", default="127.0.0.1", help="a loopback address (default 127.0.0.1)")
    serve.add_argument("--port", type=_port, default=7860, help="default 7860")
    serve.add_argument("--open", action="store_true", help="open the browser when the page is ready")
    source = serve.add_mutually_exclusive_group()
    source.add_argument("--sample", action="store_true", help="the papers that come with Vouch, in their own library")
    source.add_argument("--papers", metavar="PATH", nargs="+", help="these files, in a library of their own")

    command("mcp", "serve the library to assistants over MCP, on standard input and output",
            '  {"mcpServers": {"vouch": {"command": "vouch", "args": ["mcp"]}}}\n'
            '  (in the settings of an assistant that keeps its servers as JSON)')

    doctor = command("doctor", "examine the library and what Vouch needs")
    doctor.add_argument("--repair", action="store_true", help="first rebuild the indexes from the catalogue")
    doctor.add_argument("--reembed", action="store_true", help="first embed every paper anew, as the settings ask")
    return parser


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The command line as `commands.run` takes it.

    Raises:
        UsageError: it is no command line of Vouch's.
        SystemExit: help or the version was asked for, and printed.
    """
    started = argparse.Namespace(library=None, env_file=None, json=False, debug=False, quiet=False)
    return build_parser().parse_args(words, started)


def _common() -> argparse.ArgumentParser:
    # Suppressed defaults: what stands before a subcommand is not overwritten by the subcommand's silence.
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    group = common.add_argument_group("everywhere")
    group.add_argument("--library", metavar="DIR", type=Path,
                       help="the library's folder (else VOUCH_LIBRARY, else your data folder)")
    group.add_argument("--env-file", metavar="FILE", type=Path, help="read settings from this file")
    group.add_argument("--json", action="store_true", help="one JSON document on standard output")
    group.add_argument("--debug", action="store_true", help="show the trace of an error")
    return common


def _filters() -> argparse.ArgumentParser:
    filters = argparse.ArgumentParser(add_help=False)
    group = filters.add_argument_group("only papers", "an option given twice means either")
    group.add_argument("--since", metavar="YEAR", type=_year, help="of this year or later")
    group.add_argument("--until", metavar="YEAR", type=_year, help="of this year or earlier")
    for option, dest, text in (("file", "files", "read from this file"), ("author", "authors", "by this author"),
                               ("id", "ids", "with this id"), ("tag", "tags", "with this tag")):
        group.add_argument(f"--{option}", dest=dest, metavar=option.upper(), action="append", default=[], help=text)
    group.add_argument("--new-since", metavar="WHEN", type=_moment, dest="added",
                       help="that came to the library since then: 7d, 2w or a date")
    return filters


def _survey(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--length", choices=("brief", "standard", "full"), default="standard",
                        help="of at most 12, 30 (default) or 120 papers")
    parser.add_argument("--engine", choices=("extractive", "llm"), help="in the papers' words, or let the model write")


def where(args: argparse.Namespace) -> Where:
    """The filter that a command's options describe.

    Raises:
        UsageError: the years are the wrong way round.
    """
    from rag.schema import Where

    if args.since and args.until and args.since > args.until:
        raise UsageError(f"no year is both since {args.since} and until {args.until}: swap them")
    return Where(years=(args.since, args.until) if args.since or args.until else None, files=tuple(args.files),
                 authors=tuple(args.authors), ids=tuple(args.ids), tags=tuple(args.tags), added=args.added)


def _number(low: int, high: int, what: str) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
            raise argparse.ArgumentTypeError(f"{text!r} is no {what} ({low} to {high})")
        return int(text)

    return read


def _moment(text: str) -> str:
    from ui.since import moment

    try:
        return moment(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


_count = _number(1, 1000, "number of papers")
_year = _number(1000, 2999, "year")
_seed = _number(0, 999_999, "seed")
_port = _number(1, 65535, "port")
