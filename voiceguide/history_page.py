"""`voiceguide history --html`: one page in one file, which needs no network, no script and no eyes.

Laws. Behind every drawing stands a table with the same numbers. Nothing is told by colour alone. The two people are never
compared: every count is that of both together. What was dictated is text, never markup.
"""

from __future__ import annotations

from datetime import date
from html import escape

from voiceguide.accounts import ANSWERS, Account, Other, Promise, Week
from voiceguide.language.telling import Telling

WEEKS_DRAWN = 26  # half a year: more columns could not be told apart on a small screen
_HEIGHT, _TOP, _FOOT, _EDGE = 52, 20, 26, 24  # of the drawing, in pixels
_WIDTH = 640  # all columns together: what the page is wide, less its edges
_COLUMN_WIDEST = 48
_DATE = 56  # what a date under a column needs
_DRAWN = ("kept", "pauses", "returns")
_COLUMNS = ("kept", "missed", "not_yet", "promised", "pauses", "returns")
_STYLE = """
:root { color-scheme: light dark; --ink: #1c1c1e; --soft: #55555c; --paper: #fdfdfb; --line: #c9c9cf; --bar: #2f6f8f; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #f0f0ee; --soft: #b4b4bb; --paper: #17181a; --line: #4a4b52; --bar: #7fc0de; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1.25rem 4rem; max-width: 46rem; background: var(--paper); color: var(--ink);
  font: 1.0625rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.3rem; margin: 2.75rem 0 .75rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
p { margin: .5rem 0; }
.soft { color: var(--soft); }
.wide { overflow-x: auto; }
.wide:focus-visible { outline: 3px solid var(--bar); outline-offset: 2px; }
svg { display: block; }
svg text { fill: var(--ink); font: 14px system-ui, sans-serif; }
svg .day { fill: var(--soft); }
svg line { stroke: var(--line); }
svg rect { fill: var(--bar); }
table { border-collapse: collapse; margin-top: 1rem; font-variant-numeric: tabular-nums; }
caption { text-align: start; color: var(--soft); padding-bottom: .4rem; }
th, td { padding: .35rem 0 .35rem 1rem; text-align: end; vertical-align: bottom; border-bottom: 1px solid var(--line); }
th { font-weight: 600; overflow-wrap: normal; }
th:first-child { text-align: start; padding-inline-start: 0; white-space: nowrap; }
tbody th { font-weight: 400; }
ol.promises { padding-inline-start: 1.4rem; }
ol.promises > li { margin-bottom: 1.75rem; }
blockquote { margin: .4rem 0; padding-inline-start: .9rem; border-inline-start: 3px solid var(--bar); font-size: 1.15rem; }
ul { margin: .4rem 0; padding-inline-start: 1.2rem; }
@media print { :root { --ink: #000; --soft: #333; --paper: #fff; --line: #999; --bar: #444; } .wide { overflow: visible; } }
"""


def page(whole: Account, telling: Telling, today: date) -> str:
    """The whole page. `today` closes the drawing and dates the page."""
    parts = [f"<h1>{_say(telling, 'page_title')}</h1>", *_opening(whole, telling)]
    if whole.weeks:
        parts += _weeks(whole, telling, today)
    if whole.promises:
        parts += _promises(whole, telling)
    if whole.others:
        parts += _others(whole, telling)
    made = _say(telling, "page_made", day=telling.day(today))
    title = _say(telling, "page_title")
    return f"""<!DOCTYPE html>
<html lang="{escape(telling.language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
{_joined(parts)}
</main>
<footer><p class="soft">{made}</p></footer>
</body>
</html>
"""


def _opening(whole: Account, telling: Telling) -> list[str]:
    if whole.since is None:
        return [] if whole.others else [f"<p>{_say(telling, 'nothing')}</p>"]
    since = _say(telling, "history_since", day=telling.day(whole.since), counts=counted(whole.total(), telling))
    return [f"<p>{since}</p>", f'<p class="soft">{_say(telling, "history_together")}</p>']


# -- week by week --------------------------------------------------------------------------------------------------------


def _weeks(whole: Account, telling: Telling, today: date) -> list[str]:
    every = whole.every_week(today)
    drawn = every[-WEEKS_DRAWN:]
    parts = ['<section aria-labelledby="weeks">', f'<h2 id="weeks">{_say(telling, "page_weeks")}</h2>']
    if len(every) > len(drawn):
        parts.append(f'<p class="soft">{_say(telling, "page_recent", n=len(drawn))}</p>')
    for name in _DRAWN:
        parts += _drawing(name, drawn, telling)
    return [*parts, *_table(whole.weeks, telling), "</section>"]


def _drawing(name: str, weeks: tuple[Week, ...], telling: Telling) -> list[str]:
    """One row of bars; every bar carries its number, so that nothing has to be read off an axis."""
    what = telling.text(f"page_{name}")
    numbers = [getattr(week, name) for week in weeks]
    highest = max(*numbers, 3)  # a single one is not drawn as tall as a full week
    column = min(_COLUMN_WIDEST, _WIDTH // len(weeks))
    width, base = column * len(weeks) + 2 * _EDGE, _TOP + _HEIGHT
    dated_every = -(-_DATE // column)  # the dates between would run into each other
    title = escape(telling.text("page_drawing", what=what))
    size = f'width="{width}" height="{base + _FOOT}" viewBox="0 0 {width} {base + _FOOT}"'
    marks = [f'<line x1="0" y1="{base}" x2="{width}" y2="{base}"/>']
    for at, (week, number) in enumerate(zip(weeks, numbers, strict=True)):
        middle = _EDGE + column * at + column // 2
        tall = round(_HEIGHT * number / highest)
        if number:
            marks.append(f'<rect x="{middle - column // 3}" y="{base - tall}" width="{column // 3 * 2}" height="{tall}" rx="2"/>')
            marks.append(f'<text x="{middle}" y="{base - tall - 5}" text-anchor="middle">{number}</text>')
        if at % dated_every == 0:
            day = escape(telling.day(week.begins, "short_day"))
            marks.append(f'<text class="day" x="{middle}" y="{base + 18}" text-anchor="middle">{day}</text>')
    return [
        f"<h3>{escape(what)}</h3>",
        f'<div class="wide" tabindex="0" role="group" aria-label="{title}">',
        f'<svg role="img" {size} aria-label="{escape(_spoken(name, weeks, telling))}">',
        *marks,
        "</svg>",
        "</div>",
    ]


def _spoken(name: str, weeks: tuple[Week, ...], telling: Telling) -> str:
    """The drawing in words, for those who hear it."""
    some = [f"{telling.day(week.begins, 'short_day')} {getattr(week, name)}" for week in weeks if getattr(week, name)]
    return telling.text("joint").join(some) or telling.text("page_none")


def _table(weeks: tuple[Week, ...], telling: Telling) -> list[str]:
    heads = "".join(f'<th scope="col">{_say(telling, f"page_{name}")}</th>' for name in _COLUMNS)
    parts = [
        f'<div class="wide" tabindex="0" role="group" aria-label="{_say(telling, "page_table")}">',
        f"<table><caption>{_say(telling, 'page_table')}</caption>",
        f'<thead><tr><th scope="col">{_say(telling, "page_week")}</th>{heads}</tr></thead>',
        "<tbody>",
    ]
    for week in weeks:
        cells = "".join(f"<td>{getattr(week, name)}</td>" for name in _COLUMNS)
        parts.append(f'<tr><th scope="row">{escape(telling.day(week.begins))}</th>{cells}</tr>')
    return [*parts, "</tbody></table>", "</div>", f'<p class="soft">{_say(telling, "history_quiet")}</p>']


# -- promises and the rest -----------------------------------------------------------------------------------------------


def _promises(whole: Account, telling: Telling) -> list[str]:
    title = f'<h2 id="promises">{_say(telling, "promises_title")}</h2>'
    parts = ['<section aria-labelledby="promises">', title, '<ol class="promises">']
    for promise in whole.promises:
        heading, went, *gone = [escape(line) for line in promise_words(promise, telling)]
        parts += ["<li>", f"<p>{heading}</p>", f'<blockquote dir="auto">{escape(promise.text)}</blockquote>']
        parts.append(f"<p>{went}</p>")
        if promise.answers:
            parts.append(f'<ul aria-label="{_say(telling, "page_answers")}">')
            parts += [f"<li>{escape(telling.day(one.day))}: {escape(telling.answer(one.what))}</li>" for one in promise.answers]
            parts.append("</ul>")
        parts += [*(f"<p>{line}</p>" for line in gone), "</li>"]
    return [*parts, "</ol>", "</section>"]


def promise_words(promise: Promise, telling: Telling) -> list[str]:
    """Whose promise, of which day, tied to what; how its check-ins went; when it was let go. Its own words stand between."""
    theme, day = telling.theme(promise.theme), telling.day(promise.made)
    form = "promise_named" if promise.giver else "promise_nameless"
    heading = telling.text(form, giver=promise.giver, day=day, theme=telling.text("joint") + theme if theme else "")
    counts = telling.counts(promise.counts())
    went = telling.text("promise_so_far", counts=counts) if counts else telling.text("promise_unasked")
    return [heading, went, *([telling.text("promise_let_go", day=telling.day(promise.let_go))] if promise.let_go else [])]


def _others(whole: Account, telling: Telling) -> list[str]:
    parts = ['<section aria-labelledby="else">', f'<h2 id="else">{_say(telling, "history_else")}</h2>', "<ul>"]
    parts += [f'<li dir="auto">{escape(else_line(one, telling))}</li>' for one in whole.others]
    return [*parts, "</ul>", "</section>"]


def counted(numbers: list[tuple[str, int]], telling: Telling) -> str:
    """Counts in words: first what the couple did, then how its check-ins were answered."""
    done = telling.counts(row for row in numbers if row[0] not in ANSWERS)
    answers = telling.counts(row for row in numbers if row[0] in ANSWERS)
    return telling.text("apart").join(part for part in (done, answers and telling.text("check_ins", counts=answers)) if part)


def else_line(one: Other, telling: Telling) -> str:
    """Something else that was kept: its day, what sort of thing it is, its words."""
    return telling.text("else_line", day=telling.day(one.day), kind=telling.kind(one.kind), text=one.text)


def _say(telling: Telling, key: str, **slots: object) -> str:
    return escape(telling.text(key, **slots))


def _joined(parts: list[str]) -> str:
    return "\n".join(parts)
