"""Plans from content: TOML without words -> frozen `Plan`s. Every mistake names file and key. (See content/AUTHORS.md)"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from voiceguide.core.effects import Patience
from voiceguide.core.plan import Floor, Kind, Plan, Plans, Step
from voiceguide.errors import ContentError

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

_STEP_KEYS = {field.name for field in fields(Step)} - {"name"}
_PLAN_KEYS = {"start", "opened_by", "steps", "note"}


CONTENT = Path(__file__).parent.parent / "content"


def load_plans(folder: Path = CONTENT / "plans") -> Plans:
    """Every plan of `folder` (the product's own by default), by name. Raises ContentError."""
    return {plan.name: plan for plan in map(_load_plan, sorted(folder.glob("*.toml")))}


def spoken_plans(plans: Plans, prompts: Container[str]) -> Plans:
    """The talks that a pack with these `prompts` speaks, and so may offer: whoever says a talk's first words covers it.

    A pack may cover the pause alone; what a covered talk then lacks is a fault that `voiceguide check` names.
    """
    return {name: plan for name, plan in plans.items() if _first_words(plan) in prompts}


def _first_words(plan: Plan) -> str:
    return next(step.prompt for step in plan.steps.values() if step.prompt)


def _load_plan(file: Path) -> Plan:
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ContentError("plan_broken", f"{file.name}: {error}", hint="Mend the line it names") from None
    return parse_plan(file.stem, data)


def parse_plan(name: str, data: Mapping[str, Any]) -> Plan:
    """A plan from parsed TOML. Raises ContentError naming `name` and the key."""
    _only(name, data, _PLAN_KEYS)
    steps = data.get("steps", {})
    if not isinstance(steps, Mapping) or not steps:
        raise ContentError("plan_empty", f"{name}.toml: no steps", hint="Add [steps.NAME] tables")
    parsed = {key: _parse_step(name, key, value) for key, value in steps.items()}
    start = data.get("start", next(iter(parsed)))
    if start not in parsed:
        raise ContentError("plan_start", f"{name}.toml: start names no step: {start}", hint=f"One of: {', '.join(parsed)}")
    return Plan(name, start, parsed, tuple(data.get("opened_by", ())))


def _parse_step(plan: str, name: str, data: Mapping[str, Any]) -> Step:
    where = f"{plan}.toml [steps.{name}]"
    _only(where, data, _STEP_KEYS)
    made: dict[str, Any] = dict(data)
    try:
        made["kind"] = Kind(data["kind"])
        made["floor"] = Floor(data.get("floor", "both"))
        made["patience"] = Patience(data.get("patience", "closed"))
        made["ignores"] = tuple(data.get("ignores", ()))
    except KeyError:
        raise ContentError("step_kind", f"{where}: no kind", hint=f"One of: {', '.join(k.value for k in Kind)}") from None
    except ValueError as error:
        raise ContentError("step_value", f"{where}: {error}", hint="See content/AUTHORS.md for the allowed words") from None
    return Step(name=name, **made)


def _only(where: str, data: Mapping[str, Any], known: set[str]) -> None:
    if unknown := sorted(set(data) - known):
        raise ContentError("unknown_key", f"{where}: unknown key {unknown[0]}", hint=f"Known: {', '.join(sorted(known))}")
