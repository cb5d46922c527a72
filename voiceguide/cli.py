"""The command line: what can be asked for, in words that teach; every error is one sentence with what to do next.

Exit codes: 0 done, 2 usage, 3 no device or model, 4 content, 5 store (design 5). Commands are imported when they are called, so
that `--help` answers at once and a broken engine breaks only what needs it.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import io
import os
import sys
from collections.abc import Sequence

from voiceguide import __version__
from voiceguide.errors import UsageError, VoiceguideError

_OUTPUT_FAILED = (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EFBIG)
_ABOUT = """\
voiceguide: a voice for the worst five minutes of a couple's week.
It hears and speaks on this machine alone: no network, no screen, no hands.
Not therapy, and not for relationships with fear."""
_MORE = """\
first steps:
  voiceguide doctor          what works here, and how to mend the rest
  voiceguide run             start the guide; say "hey guide", or ask for a pause
  voiceguide try             the same guide, typed

exit codes: 0 done, 2 usage, 3 no device or model, 4 content, 5 store"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. Ctrl-C ends cleanly with 130."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")  # a console of another code page must not end the evening
    _open_missing_streams()
    parser = build_parser()
    chosen = parser.parse_args(arguments)
    if not getattr(chosen, "target", ""):
        parser.print_help()
        return 2
    try:
        module, _, function = chosen.target.partition(":")
        code: int = getattr(importlib.import_module(f"voiceguide.{module}"), function)(chosen)
        sys.stdout.flush()  # a full disk behind it shows here, not in a message of the interpreter's own
    except VoiceguideError as error:
        print(f"voiceguide: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("\nStopped. What was agreed is kept.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output went away: nothing to tell anybody
        _let_go_of_output()
        return 0
    except OSError as error:
        if error.errno not in _OUTPUT_FAILED:
            raise
        _let_go_of_output()
        print(f"voiceguide: The answer cannot be written ({error.strerror}). Send it to another place", file=sys.stderr)
        return UsageError.exit_code
    return code


def _open_missing_streams() -> None:
    """A program may be started with its streams closed, by a timer say: then nothing is typed, and nobody reads."""
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115, PTH123 - lives as long as the process
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - see above


def _let_go_of_output() -> None:
    """What is still buffered would be written once more when the interpreter ends, and fail with a message of its own."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def build_parser() -> argparse.ArgumentParser:
    """All commands and options."""
    parser = argparse.ArgumentParser(
        prog="voiceguide", description=_ABOUT, epilog=_MORE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"voiceguide {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _run(commands)
    _typed(commands)
    _words(commands)
    _ledger(commands)
    _care(commands)
    return parser


Commands = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _command(commands: Commands, name: str, target: str, text: str) -> argparse.ArgumentParser:  # type: ignore[valid-type]
    parser: argparse.ArgumentParser = commands.add_parser(  # type: ignore[attr-defined]
        name, help=text, description=text[0].upper() + text[1:] + ".", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.set_defaults(target=target, command=name)
    return parser


def _language(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--language", metavar="CODE", help="content pack: en, ko (default: from the settings)")


def _run(commands: Commands) -> None:  # type: ignore[valid-type]
    run = _command(commands, "run", "running:run_command", "start the guide: microphone and loudspeaker")
    run.add_argument("--audio", metavar="FILE", help="hear a WAV file, or a folder with parts.toml, instead of the microphone")
    run.add_argument("--fast", action="store_true", help="with --audio: as fast as possible, on the recording's own clock")
    run.add_argument("--out", metavar="FILE", help="write two aligned channels: left what was heard, right what was said")
    run.add_argument("--trace", metavar="FILE", help="write what happened when, one JSON object a line, without words")
    run.add_argument("--captions", action="store_true", default=None, help="show what is heard and said")
    run.add_argument("--ear", choices=["auto", "vosk", "whisper"], help="which recogniser")
    run.add_argument("--voice", choices=["pyttsx3", "piper"], help="which voice")
    run.add_argument("--data", metavar="FOLDER", help="where pauses and promises are kept")
    run.add_argument("--example", action="store_true", help="play the recorded example conversation")
    run.add_argument("--start", metavar="ISO", help="with --fast: the wall time at which the recording begins")
    _language(run)


def _typed(commands: Commands) -> None:  # type: ignore[valid-type]
    typed = _command(commands, "try", "trying:try_command", "talk to the same guide by typing")
    typed.add_argument("--step", metavar="PLAN:STEP", help="begin at a step of a talk (for authors)")
    _language(typed)
    rehearse = _command(commands, "rehearse", "rehearsing:rehearse_command", "play a written conversation in virtual time")
    rehearse.add_argument("file", help="a .dialogue file, or lines of: seconds, tab, speaker, tab, text")
    rehearse.add_argument("--json", action="store_true", help="one object a line")
    rehearse.add_argument(
        "--encoder", action="store_true", help="judge with the sentence encoder as well, as `run` does (slower)"
    )
    _language(rehearse)


def _words(commands: Commands) -> None:  # type: ignore[valid-type]
    understand = _command(
        commands, "understand", "answering:understand_command", "say what was understood of lines on standard input"
    )
    understand.add_argument("--json", action="store_true", help="one object a line, in order")
    understand.add_argument(
        "--expect", metavar="NAME", help="the question being answered: ready, return_time, apology, promise, …"
    )
    understand.add_argument("--now", metavar="ISO", help="the wall time to count from")
    _language(understand)
    transcribe = _command(
        commands, "transcribe", "transcribing:transcribe_command", "show what the recogniser hears in a WAV file, with times"
    )
    transcribe.add_argument("file", help="a WAV file")
    transcribe.add_argument("--ear", choices=["auto", "vosk", "whisper"], help="which recogniser")
    transcribe.add_argument("--json", action="store_true", help="one object a line")
    _language(transcribe)


def _ledger(commands: Commands) -> None:  # type: ignore[valid-type]
    for name, text in (
        ("promises", "show what was promised"),
        ("history", "show pauses, returns and promises over the weeks"),
        ("export", "write everything that is kept to a file"),
        ("erase", "erase everything that is kept"),
    ):
        parser = _command(commands, name, "ledgers:ledger_command", text)
        parser.add_argument("--data", metavar="FOLDER", help="where pauses and promises are kept")
        if name in ("promises", "history"):
            parser.add_argument("--json", action="store_true", help="one object a line")
        if name == "history":
            parser.add_argument("--html", metavar="FILE", help="draw it as a page")
        if name == "export":
            parser.add_argument("file", nargs="?", default="-", help="a file, or - for standard output")
        if name == "erase":
            parser.add_argument("--yes", action="store_true", help="do not ask again")


def _care(commands: Commands) -> None:  # type: ignore[valid-type]
    models = _command(commands, "models", "doctor:models_command", "show which models are installed and verified")
    models.add_argument("--json", action="store_true", help="one object a line")
    doctor = _command(commands, "doctor", "doctor:doctor_command", "show what works here, and how to mend the rest")
    doctor.add_argument("--json", action="store_true", help="one object a line")
    doctor.add_argument("--quiet", action="store_true", help="do not speak the test sentence")
    check = _command(commands, "check", "checking:check_command", "check plans and packs, for authors")
    check.add_argument("--json", action="store_true", help="one object a line")
    bench = _command(commands, "bench", "bench:bench_command", "measure: see scripts/bench --help")
    bench.add_argument("what", nargs="?", default="", help="latency, times, mishearing, understanding, talk, voice, rehearse")
    bench.add_argument("--data", metavar="FOLDER", help="recordings and cases to measure with")
    bench.add_argument("--json", metavar="FILE", help="write the figures here as well")
    bench.add_argument("--split", choices=("train", "dev", "test"), default="test", help="understanding: part of the corpus")
    bench.add_argument("--accept", action="store_true", help="understanding: take this run as the new measure, in the README too")


if __name__ == "__main__":
    sys.exit(main())
