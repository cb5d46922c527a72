"""What every language must cover: the intents, rails and expectations of `content/contract.toml`, as frozen data."""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from voiceguide.errors import ContentError

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib


@dataclass(frozen=True, slots=True)
class Hoped:
    """One expectation: the answers hoped for, whether free speech is welcome, and what judges it ("" for nothing)."""

    name: str
    intents: tuple[str, ...]
    free: bool = False
    judge: str = ""


@dataclass(frozen=True, slots=True)
class Contract:
    """All ids. `rails` in their order of precedence; `bare`: what is no content where somebody is asked for some."""

    intents: tuple[str, ...]
    rails: tuple[str, ...]
    expectations: Mapping[str, Hoped] = field(default_factory=dict)
    bare: tuple[str, ...] = ()


def read_toml(folder: str, name: str) -> dict[str, Any]:
    """A TOML file of the package's content. Raises ContentError naming the file (and the line, where TOML is at fault)."""
    where = f"content/{folder}/{name}" if folder else f"content/{name}"
    path = importlib.resources.files("voiceguide") / where
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise ContentError("missing_content", f"{where} cannot be read", hint="install voiceguide again") from None
    except tomllib.TOMLDecodeError as problem:
        raise ContentError("broken_content", f"{where}: {problem}", hint="then run: voiceguide check") from None
    return table


@functools.lru_cache(maxsize=1)
def contract() -> Contract:
    """The contract, read once. Raises ContentError."""
    table = read_toml("", "contract.toml")
    try:
        intents: dict[str, Any] = table["intents"]
        hoped = {
            name: Hoped(name, tuple(spec["intents"]), bool(spec.get("free", False)), str(spec.get("judge", "")))
            for name, spec in table["expectations"].items()
        }
    except (KeyError, TypeError, AttributeError) as problem:
        raise ContentError("broken_content", f"content/contract.toml: {problem} is missing or of the wrong shape") from None
    bare = tuple(table.get("bare", ()))
    for where, named in ((f"expectations.{name}", one.intents) for name, one in (*hoped.items(), ("", Hoped("", bare)))):
        for intent in named:
            if intent not in intents:
                raise ContentError("broken_content", f"content/contract.toml: {where} names the unknown {intent}")
    return Contract(tuple(intents), tuple(one for one, spec in intents.items() if spec.get("rail")), hoped, bare)
