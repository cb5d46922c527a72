"""What the couple keeps: promises and how they went, request, pattern, agreed phrase, names, and booked check-ins.

Laws. Only words that were dictated and confirmed are kept. Counts are said, never weighed. A check-in opens by itself at a decent
hour, once more the next day where nobody answered, and never into a talk that is under way. Two that are due at once become one
sitting. (mission R5 to R8, R13, R14)
"""

from __future__ import annotations

from dataclasses import replace

from voiceguide.core import figures
from voiceguide.core.draft import Draft
from voiceguide.core.effects import Dictated, Moment, SayValue
from voiceguide.core.plan import Floor, Step
from voiceguide.core.snapshot import Checkin, Household, Promised

CHECKIN = "checkin:"  # clocks of booked follow-ups, "checkin:<due>"
FOLLOW_UP = "follow_up"  # the plan that a booking opens when it names no other
CALLED = "called"  # visits: the guide opened this talk by itself, for the first or the second time
_ASKED = "asked:"  # visits: promises that this sitting has already taken up


# -- writing -------------------------------------------------------------------------------------------------------------


def write(draft: Draft, step: Step) -> None:
    """Do everything that entering `step` writes down."""
    if step.theme:
        draft.set(theme=step.theme)
    if step.quiets:
        draft.set(visits={**draft.s.visits, f"quiet:{step.quiets}": 1})
    if step.keeps and (text := draft.held.get(step.keeps, "")):
        _keep(draft, step, text)
    if step.records:
        _record(draft, step.records)
    if step.books:
        _book(draft, step.books, step.opens or FOLLOW_UP)


def _keep(draft: Draft, step: Step, text: str) -> None:
    """Confirmed words go to the ledger; names, phrase and promises stay at hand as well."""
    household = draft.s.household
    match step.keeps:
        case "name_first":
            text = _name(text)
            household = replace(household, names=(text, household.names[1] if len(household.names) > 1 else ""))
        case "name_second":
            text = _name(text)
            household = replace(household, names=(household.names[0] if household.names else "", text))
        case "phrase":
            household = replace(household, phrase=text)
        case "promise":
            _promise(draft, step, text)
            return
    draft.set(household=household)
    draft.remember(step.keeps, text=Dictated(text))


def _name(text: str) -> str:
    """A recogniser writes small letters; a caption shows a name as people write it."""
    return text.strip()[:1].upper() + text.strip()[1:]


def _promise(draft: Draft, step: Step, text: str) -> None:
    """A promise stands from here on; one that is in hand is replaced, and keeps its place and theme."""
    household = draft.s.household
    old = in_hand(draft)
    who = old.who if old else draft.s.roles[1 if step.floor is Floor.LISTENER else 0]
    theme = draft.s.theme or (old.theme if old else "")
    made = Promised(household.given + 1, text, who, theme, draft.now)
    standing = tuple(p for p in household.promises if p != old)
    draft.set(
        about=made.id if old else draft.s.about,
        household=replace(household, given=made.id, promises=(*standing, made)[-figures.PROMISES_STANDING :]),
    )
    if old:
        draft.remember("let_go", id=old.id)
    draft.remember("promise", id=made.id, text=Dictated(text), who=who, theme=theme)


def _record(draft: Draft, what: str) -> None:
    household = draft.s.household
    if what in ("consent", "no_consent"):
        draft.set(household=replace(household, consented=what == "consent"))
        draft.remember(what)
        return
    promise = in_hand(draft)
    if promise is None:
        return
    match what:
        case "kept":
            changed: tuple[Promised, ...] = (replace(promise, kept=promise.kept + 1),)
        case "missed":
            changed = (replace(promise, missed=promise.missed + 1),)
        case "let_go":
            changed = ()
        case _:
            changed = (promise,)
    at = household.promises.index(promise)
    draft.set(household=replace(household, promises=(*household.promises[:at], *changed, *household.promises[at + 1 :])))
    draft.remember(what, id=promise.id)


def undo(draft: Draft, step: Step) -> None:
    """Somebody goes back from a step that counted: it was not meant."""
    promise = in_hand(draft)
    if promise is None or step.records not in ("kept", "missed"):
        return
    kept, missed = (1, 0) if step.records == "kept" else (0, 1)
    changed = replace(promise, kept=max(promise.kept - kept, 0), missed=max(promise.missed - missed, 0))
    at = draft.s.household.promises.index(promise)
    promises = (*draft.s.household.promises[:at], changed, *draft.s.household.promises[at + 1 :])
    draft.set(household=replace(draft.s.household, promises=promises))
    draft.remember("undone", id=promise.id, what=step.records)


# -- booking -------------------------------------------------------------------------------------------------------------


def _book(draft: Draft, days: int, plan: str, *, again: bool = False) -> None:
    """The guide will open `plan` by itself in `days` days, at the household's hour; one booking a plan and day."""
    household = draft.s.household
    due = draft.calendar.at(draft.now, days, household.hour)
    checkin = Checkin(due, plan, again=again)
    draft.start_at(f"{CHECKIN}{due:.0f}", due, durable=True)
    if checkin in household.checkins:
        return
    draft.set(household=replace(household, checkins=(*household.checkins, checkin)))
    draft.remember("checkin", due=Moment(due), plan=plan)


def nobody_answered(draft: Draft, way: str) -> None:
    """The guide opened `way` by itself to an empty room: once more the next day, then it rests as not asked."""
    tries = draft.s.visits.get(CALLED, 0)
    if tries == 1:
        _book(draft, 1, way, again=True)
    elif tries:
        draft.remember("not_asked", plan=way)


def choose_hour(draft: Draft, seconds: float) -> None:
    """The couple named a time for check-ins: its hour counts from now on, within decent limits."""
    first, last = figures.DECENT_HOURS
    hour = min(max(draft.calendar.hour(draft.now + seconds), first), last)
    draft.set(household=replace(draft.s.household, hour=hour))


def take_due(draft: Draft) -> Checkin | None:
    """What is to be opened now, None for nothing. Others that lead there are one sitting; the rest wait.

    At an indecent hour (after a power cut, say) nothing opens: it is moved to the household's hour.
    """
    household = draft.s.household
    due = [c for c in household.checkins if c.due <= draft.now]
    if not due:
        return None
    first, last = figures.DECENT_HOURS
    plan = due[0].plan
    if not first <= draft.calendar.hour(draft.now) <= last + 1:
        _move(draft, due, _next_decent(draft))
        return None
    draft.set(household=replace(household, checkins=tuple(c for c in household.checkins if c not in due)))
    _move(draft, [c for c in due if c.plan != plan], draft.now + figures.HOUR)
    if plan.partition(":")[0] not in draft.plans:
        return None
    return replace(due[0], again=all(c.again for c in due if c.plan == plan))


def _next_decent(draft: Draft) -> float:
    today = draft.calendar.at(draft.now, 0, draft.s.household.hour)
    return today if today > draft.now else draft.calendar.at(draft.now, 1, draft.s.household.hour)


def _move(draft: Draft, checkins: list[Checkin], due: float) -> None:
    household = draft.s.household
    rest = tuple(c for c in household.checkins if c not in checkins)
    moved = tuple(dict.fromkeys(replace(c, due=due) for c in checkins))
    draft.set(household=replace(household, checkins=(*rest, *moved)))
    if moved:
        draft.start_at(f"{CHECKIN}{due:.0f}", due, durable=True)


# -- reading -------------------------------------------------------------------------------------------------------------


def in_hand(draft: Draft) -> Promised | None:
    """The promise that the talk is about, if any."""
    return next((p for p in draft.s.household.promises if p.id == draft.s.about), None)


def take_next(draft: Draft) -> bool:
    """Take up the oldest standing promise that this sitting has not asked about; False when there is none left."""
    visits = dict(draft.s.visits)
    for promise in draft.s.household.promises:
        key = f"{_ASKED}{promise.id}"
        if key not in visits and promise.made < draft.now - figures.HOUR:
            draft.set(visits={**visits, key: 1}, about=promise.id, theme=promise.theme)
            return True
    return False


def slots(draft: Draft) -> dict[str, SayValue]:
    """What prompts may name: what was dictated, the promise in hand with its counts, the hour of check-ins."""
    made: dict[str, SayValue] = {name: Dictated(text) for name, text in draft.held.items() if name[0] != "_"}
    promise = in_hand(draft) or Promised(0, "")
    if draft.s.about:
        made.setdefault("promise", Dictated(promise.text))
        made["kept"] = promise.kept
        if giver := name_of(draft.s.household, promise.who):
            made["giver"] = Dictated(giver)
    household = draft.s.household
    if household.phrase:
        made.setdefault("phrase", Dictated(household.phrase))
    for slot, days in (("due", 1), ("week", figures.WEEK_DAYS), ("fortnight", 2 * figures.WEEK_DAYS)):
        made[slot] = Moment(draft.calendar.at(draft.now, days, household.hour))
    return made


def name_of(household: Household, who: int) -> str:
    """The name of a partner, "" where none was given."""
    return household.names[who] if who < len(household.names) else ""


def tell(draft: Draft) -> None:
    """Say aloud what was promised: the newest few, each with its giver. (mission R6: the history can be heard)"""
    household = draft.s.household
    promises = household.promises[-figures.PROMISES_TOLD :]
    if not promises:
        draft.say("promises.none")
    for promise in promises:
        giver = name_of(household, promise.who)
        said: dict[str, SayValue] = {"promise": Dictated(promise.text)}
        if giver:
            said["giver"] = Dictated(giver)
        draft.say("promises.one", "", **said)
