"""Docs that run: every fenced block of the README and the authors' guide does what it says, or a comment says why it is not run.

sh       every line is run and must succeed            console   lines after "$ " are run; the others must be printed, in order
toml     must be TOML                                  json      every line must be JSON
python   is run                                        dialogue  must be accepted by `voiceguide rehearse`
mermaid  is the diagram of the table of the machine    text      is prose

`<!-- not run: reason -->` on the line before a block makes an exception; "…" in a console block stands for any output.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

HERE = Path(__file__).resolve().parents[1]
DOCUMENTS = [
    path
    for path in (HERE / "README.md", HERE / "voiceguide" / "content" / "AUTHORS.md", HERE / "models" / "README.md")
    if path.is_file()
]
LIMIT = 180.0  # seconds for one block
FENCE = re.compile(
    r"(?:<!--\s*not run:\s*(?P<reason>[^>]*?)\s*-->\s*\n)?"  # on the line before
    r"^```(?P<kind>[\w-]*)[^\n]*\n(?P<body>.*?)^```\s*$",
    re.MULTILINE | re.DOTALL,
)
NEEDS_SOUND = re.compile(r"scripts/run\b|scripts/bench\b|voiceguide (run|transcribe|doctor|bench)\b")


@dataclass(frozen=True)
class Block:
    document: str
    line: int
    kind: str
    body: str
    reason: str | None


def blocks(text: str, document: str) -> list[Block]:
    return [
        Block(document, text.count("\n", 0, found.start("body")), found["kind"], found["body"], found["reason"])
        for found in FENCE.finditer(text)
    ]


def everything() -> list[object]:
    found = [block for path in DOCUMENTS for block in blocks(path.read_text("utf-8"), path.name)]
    return [
        pytest.param(
            block,
            id=f"{block.document}:{block.line}-{block.kind}",
            marks=[pytest.mark.sound] if NEEDS_SOUND.search(block.body) else [],
        )
        for block in found
    ]


@pytest.fixture
def household(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A folder that looks like the checkout, and an environment in which nothing of this user's is read or written."""
    for path in HERE.iterdir():
        if path.name not in (".git", ".cache"):
            (tmp_path / path.name).symlink_to(path)
    home = tmp_path / "home"
    home.mkdir()
    places = {
        "HOME": str(home),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_STATE_HOME": str(home / "state"),
    }
    search = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return tmp_path, os.environ | places | {"PATH": search, "VOICEGUIDE_SETUP": "no", "COLUMNS": "80", "NO_COLOR": "1"}


def run(commands: str, household: tuple[Path, dict[str, str]]) -> str:
    place, environment = household
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=place,
        env=environment,
        text=True,
        timeout=LIMIT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert done.returncode == 0, f"exit code {done.returncode}:\n{commands}\n{done.stdout}"
    return done.stdout


SECONDS = re.compile(r"^(\d\d:\d\d):\d\d")  # a loaded machine hears the end of a sentence a moment later


def printed_in_order(expected: list[str], output: str) -> str:
    """The first expected line that the output does not have, "" when all come in order. Seconds of a clock may differ."""
    lines = iter(SECONDS.sub(r"\1", line.rstrip()) for line in output.splitlines())
    for line in expected:
        wanted = SECONDS.sub(r"\1", line.rstrip())
        if wanted and wanted not in ("…", "...") and not any(given == wanted for given in lines):
            return wanted
    return ""


@pytest.mark.parametrize("block", everything())
def test_every_block_does_what_it_says(block: Block, household: tuple[Path, dict[str, str]]) -> None:
    if block.reason is not None:
        assert block.reason, f"{block.document}:{block.line}: an exception needs a reason"
        return
    if block.kind in ("sh", "bash"):
        run(block.body, household)
    elif block.kind == "console":
        lines = block.body.splitlines()
        commands = [line[2:] for line in lines if line.startswith("$ ")]
        assert commands, "a console block begins its commands with '$ '"
        output = run("\n".join(commands), household)
        missing = printed_in_order([line for line in lines if not line.startswith("$ ")], output)
        assert not missing, f"{block.document}:{block.line} promises {missing!r}, but printed was:\n{output}"
    elif block.kind == "python":
        script = household[0] / "block.py"
        script.write_text(block.body, "utf-8")
        run("python block.py", household)
    elif block.kind == "dialogue":
        (household[0] / "block.dialogue").write_text(block.body, "utf-8")
        run("voiceguide rehearse block.dialogue", household)
    elif block.kind == "toml":
        tomllib.loads(block.body)
    elif block.kind == "json":
        for line in block.body.splitlines():
            json.loads(line)
    else:
        assert block.kind in ("text", "mermaid"), f"{block.document}:{block.line}: say what the block is (sh, console, text, …)"


def test_the_diagram_in_the_readme_is_that_of_the_machine() -> None:
    done = subprocess.run(
        [sys.executable, str(HERE / "scripts" / "diagram.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_document_is_taken_apart_as_meant() -> None:
    text = "# A\n```sh\nls\n```\n\n<!-- not run: installs things -->\n```console\n$ true\nyes\n```\n```\nbare\n```\n"
    assert [(block.kind, block.body, block.reason, block.line) for block in blocks(text, "x")] == [
        ("sh", "ls\n", None, 2),
        ("console", "$ true\nyes\n", "installs things", 7),
        ("", "bare\n", None, 11),
    ]


def test_promised_output_must_come_in_order() -> None:
    assert printed_in_order(["a", "…", "c"], "a\nb\nc\n") == ""
    assert printed_in_order(["c", "a"], "a\nb\nc\n") == "a"
