"""Imports go down only: cli and app > adapters > runtime > language > core. Read from the syntax tree, never by importing."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "voiceguide"
LAYERS = ("core", "language", "runtime", "adapters", "top")  # lowest first; "top" is cli, app and their neighbours
SHARED = ("voiceguide", "voiceguide.errors")  # every layer may raise our errors
PURE = ("core", "language")
FORBIDDEN_IN_PURE = {"time", "random", "secrets", "threading", "multiprocessing", "asyncio", "socket", "logging", "subprocess",
                     "sched", "urllib", "http", "signal", "select", "selectors", "concurrent"}
CLOCKS = {("datetime", "now"), ("datetime", "today"), ("datetime", "utcnow"), ("date", "today"), ("time", "time"),
          ("time", "monotonic")}

# What a layer may take from outside, beside the standard library. An engine belongs to exactly one file of adapters/.
LIBRARIES = {
    "core": {"transitions", "typing_extensions"},
    "language": {"typing_extensions", "numpy", "tokenizers", "tomli"},
    "runtime": {"typing_extensions", "numpy", "tomli"},
    "adapters": {"typing_extensions", "numpy", "tomli"},
    "top": {"typing_extensions", "numpy", "tomli", "platformdirs", "tqdm"},
}


def layer_of(module: str) -> str:
    """The layer of a dotted name inside the package."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in LAYERS else "top"


def name_of(file: Path) -> str:
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.AST, module: str, *, package: bool) -> list[tuple[str, int]]:
    """Every dotted name a file imports, wherever in it, and the line; relative ones made absolute."""
    found: list[tuple[str, int]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = module.split(".")[: None if package and node.level == 1 else -node.level + package]
                base = ".".join([*above, *([base] if base else [])])
            ours = base.split(".")[0] == "voiceguide"
            found += [(f"{base}.{alias.name}" if ours else base, node.lineno) for alias in node.names]
    return found


FILES = sorted(PACKAGE.rglob("*.py"))
TREES = {file: ast.parse(file.read_text("utf-8"), str(file)) for file in FILES}
IDS = [str(file.relative_to(PACKAGE)) for file in FILES]


def imported(file: Path) -> list[tuple[str, int]]:
    return imports(TREES[file], name_of(file), package=file.name == "__init__.py")


@pytest.mark.parametrize("file", FILES, ids=IDS)
def test_imports_go_down_only(file: Path) -> None:
    own = LAYERS.index(layer_of(name_of(file)))
    upward = [f"line {line}: {name}" for name, line in imported(file)
              if name.split(".")[0] == "voiceguide" and name not in SHARED and not name.startswith(("voiceguide.errors.",))
              and name != "voiceguide.__version__" and LAYERS.index(layer_of(name)) > own]
    assert not upward, f"{file.name} looks up the house: {upward}"


@pytest.mark.parametrize("file", FILES, ids=IDS)
def test_a_layer_takes_from_outside_only_what_it_may(file: Path) -> None:
    layer = layer_of(name_of(file))
    if layer == "adapters":
        return  # the next test says which file owns which engine
    foreign = {name.split(".")[0] for name, _ in imported(file)} - {"voiceguide"} - set(sys.stdlib_module_names) - {"tomllib"}
    assert foreign <= LIBRARIES[layer], f"{file.name} in {layer} may not import {sorted(foreign - LIBRARIES[layer])}"


def test_each_engine_lives_in_exactly_one_file() -> None:
    homes: dict[str, set[str]] = {}
    for file in FILES:
        for name, _ in imported(file):
            root = name.split(".")[0]
            if root != "voiceguide" and root not in sys.stdlib_module_names | {"tomllib"} and root not in LIBRARIES["top"]:
                homes.setdefault(root, set()).add(str(file.relative_to(PACKAGE)))
    shared = {root: sorted(files) for root, files in homes.items() if len(files) > 1 and root not in LIBRARIES["language"]}
    assert not shared, f"imported in more than one file: {shared}"


@pytest.mark.parametrize("file", [file for file in FILES if layer_of(name_of(file)) == "adapters"],
                         ids=[str(file.relative_to(PACKAGE)) for file in FILES if layer_of(name_of(file)) == "adapters"])
def test_an_engine_is_imported_lazily(file: Path) -> None:
    at_the_top = {name.split(".")[0] for node in TREES[file].body if isinstance(node, (ast.Import, ast.ImportFrom))
                  for name, _ in imports(ast.Module([node], []), name_of(file), package=file.name == "__init__.py")}
    engines = at_the_top - {"voiceguide"} - set(sys.stdlib_module_names) - LIBRARIES["adapters"]
    assert not engines, f"{file.name} imports {sorted(engines)} at its top: a missing engine would stop everything"


@pytest.mark.parametrize("file", [file for file in FILES if layer_of(name_of(file)) in PURE],
                         ids=[str(file.relative_to(PACKAGE)) for file in FILES if layer_of(name_of(file)) in PURE])
def test_core_and_language_have_no_clock_chance_thread_socket_or_log(file: Path) -> None:
    modules = {name.split(".")[0] for name, _ in imported(file)} & FORBIDDEN_IN_PURE
    clocks = [f"line {node.lineno}: {node.value.id}.{node.attr}" for node in ast.walk(TREES[file])
              if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and (node.value.id, node.attr) in CLOCKS]
    assert not modules and not clocks, f"{file.name}: {sorted(modules)} {clocks}"


def figures_in(tree: ast.Module) -> list[str]:
    """Numbers that somebody chose: every literal but 0, 1 and 2, and those too where they are given a name."""
    named = [node.value for node in tree.body if isinstance(node, (ast.Assign, ast.AnnAssign))]
    return [f"line {node.lineno}: {node.value!r}" for node in ast.walk(tree) if isinstance(node, ast.Constant)
            and type(node.value) in (int, float) and (node.value not in (0, 1, 2) or node in named)]


@pytest.mark.parametrize("file", [file for file in FILES if layer_of(name_of(file)) == "core" and file.stem != "figures"],
                         ids=lambda file: file.stem)
def test_every_figure_of_the_core_stands_in_figures(file: Path) -> None:
    apart = {"machine": ": 6", "snapshot": ": 1"}.get(file.stem, "-")  # how a diagram is drawn; the version of a format
    found = [one for one in figures_in(TREES[file]) if not one.endswith(apart)]
    assert not found, f"{file.name} holds figures of its own: {found}"


def test_the_check_sees_a_figure_wherever_it_hides() -> None:
    assert figures_in(ast.parse("LIMIT = 1\ndef f(x):\n    return x + 60.0")) == ["line 1: 1", "line 3: 60.0"]
    assert not figures_in(ast.parse("def f(x):\n    return x[1:] + x[0]"))


@pytest.mark.parametrize(("text", "expected"), [
    ("from voiceguide.runtime import ports", "voiceguide.runtime.ports"),
    ("from ..runtime import ports", "voiceguide.runtime.ports"),
    ("from .events import Heard", "voiceguide.core.events.Heard"),
    ("def f():\n    import vosk", "vosk"),
])
def test_the_check_sees_relative_and_hidden_imports(text: str, expected: str) -> None:
    assert imports(ast.parse(text), "voiceguide.core.session", package=False)[0][0] == expected
