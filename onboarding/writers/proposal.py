"""A plan in; what a terminal shows of it out: five changes and five thousand can both be reviewed.

One line for every group and person, what takes away or changes first, a bounded number under each symbol, and the
sums at the end. Pure, as all of ``text`` is.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from onboarding.model import GroupName, Role, User
from onboarding.pacing import burst_of
from onboarding.plan import Action, Change, Plan, Settled, Status
from onboarding.words import detail, meaning, places
from onboarding.writers.text import (
    WIDTH,
    Paint,
    Remark,
    clipped,
    count,
    duration,
    grouped,
    page,
    wrapped,
)

BLOCKS = 20  # people and groups shown under each symbol
GROUPS = 6  # groups named in one line
COLUMN = 36  # characters; longer names push their line to the right


@dataclass(frozen=True, slots=True)
class Forecast:
    """What carrying a plan out takes."""

    calls: int
    seconds: float = 0.0
    per_minute: int | None = None
    """The pace kept; None: as fast as the tenant answers."""


@dataclass(frozen=True, slots=True)
class _Block:
    """One group or person, and all that happens to it."""

    name: str
    changes: tuple[Change, ...]

    @property
    def symbol(self) -> str:
        """``+`` or ``-`` where every change adds or takes, else ``~``."""
        symbols = {_SYMBOLS[change.action] for change in self.changes}
        return symbols.pop() if len(symbols) == 1 else "~"

    @property
    def place(self) -> tuple[bool, bool, str]:
        """Admins first, since there is most to lose; then groups; then people."""
        return (
            not any(map(_makes_or_takes_admin, self.changes)),
            bool(self.changes[0].email),
            self.name,
        )


_SYMBOLS = {
    Action.INVITE: "+",
    Action.CREATE_GROUP: "+",
    Action.GRANT: "+",
    Action.CHANGE_ROLE: "~",
    Action.UPDATE_GROUP: "~",
    Action.REVOKE: "-",
}
_LEGEND = {
    "-": "remove from groups",
    "~": "change",
    "+": "create, invite, add to groups",
    "!": "not done by this plan: by hand, or set aside",
}
_SHADES = {"-": "red", "~": "yellow", "+": "green", "!": "magenta"}
_SETTLED_WELL = {Status.UNCHANGED, Status.APPLIED, Status.PLANNED}


def proposal(
    plan: Plan,
    forecast: Forecast,
    labels: Mapping[GroupName, str],
    *,
    rows: int,
    rejected: int = 0,
    any_domain: bool = False,
    blocks: int = BLOCKS,
    more: str = "see plan.json",
    colour: bool = False,
) -> str:
    """Show a plan for so many rows, some of them rejected.

    ``any_domain``: no ``allowed_domains`` are set, and the last line says so.
    """
    paint = Paint(colour)
    shown = _blocks(plan, labels)
    aside = [entry for entry in plan.settled if entry.status not in _SETTLED_WELL]
    symbols = [symbol for symbol in "-~+" if shown[symbol]] + ["!"] * bool(aside)

    lines = [f"  {paint(symbol, _SHADES[symbol])}  {_LEGEND[symbol]}" for symbol in symbols]
    for symbol in "-~+":
        lines += _listed(symbol, shown[symbol], labels, blocks, more, paint)
    lines += _set_aside(aside, labels, paint)
    if plan.changes:
        lines += _sums(plan, forecast, paint)
    else:
        lines += [""] * bool(lines)
        lines.append(paint(_nothing(rows, rejected, len(aside)), "bold"))
    if any_domain and plan.of(Action.INVITE):
        lines.append("Tip: set allowed_domains, so that a typing error can't invite a stranger.")
    return page(lines)


def _blocks(plan: Plan, labels: Mapping[GroupName, str]) -> Mapping[str, list[_Block]]:
    """Give the blocks under each symbol: one for every group that is made or changed, and for every person."""
    changes: dict[tuple[bool, str], list[Change]] = defaultdict(list)
    for change in plan.changes:
        changes[bool(change.email), change.email or change.group or ""].append(change)
    blocks: dict[str, list[_Block]] = defaultdict(list)
    for some in changes.values():
        block = _Block(_named(some[0], labels), tuple(some))
        blocks[block.symbol].append(block)
    return blocks


def _named(change: Change, labels: Mapping[GroupName, str]) -> str:
    """Name the person or group that a change is about."""
    return clipped(change.email or f"group {_label(change, labels)}")


def _makes_or_takes_admin(change: Change) -> bool:
    sides = (change.before, change.after)
    return any(isinstance(side, User) and side.role is Role.ADMIN for side in sides)


def _listed(
    symbol: str,
    blocks: Iterable[_Block],
    labels: Mapping[GroupName, str],
    limit: int,
    more: str,
    paint: Paint,
) -> list[str]:
    ordered = sorted(blocks, key=lambda block: block.place)
    if not ordered:
        return []
    mark = paint(symbol, _SHADES[symbol])
    column = min(COLUMN, max(len(block.name) for block in ordered[:limit]))
    lines = []
    for block in ordered[:limit]:
        head = f"{symbol} {block.name:<{column}}  "
        first, *rest = wrapped(head, _happens(block.changes, labels), indent=column + 4)
        lines += [mark + first.removeprefix(symbol), *rest]
    if len(ordered) > limit:
        lines.append(f"{mark} ... and {len(ordered) - limit:,} more, {more}")
    return ["", *lines]


def _happens(changes: Iterable[Change], labels: Mapping[GroupName, str]) -> str:
    """Tell all that happens to one group or person, what is taken first."""
    memberships: dict[str, list[str]] = defaultdict(list)
    others = []
    for change in changes:
        what = clipped(detail(change))
        match change.action:
            case Action.GRANT:
                memberships["add to {}"].append(_label(change, labels))
            case Action.REVOKE:
                why = f" ({what})" if what else ""
                memberships[f"remove from {{}}{why}"].append(_label(change, labels))
            case Action.CREATE_GROUP:
                others.append(f"create as {clipped(change.group or '')}{what and f', {what}'}")
            case Action.INVITE | Action.CHANGE_ROLE | Action.UPDATE_GROUP:
                others.append(f"{_VERBS[change.action]} {what}")
    told = {words: words.format(_some(groups)) for words, groups in memberships.items()}
    taken = [text for words, text in told.items() if words.startswith("remove")]
    given = [text for words, text in told.items() if words.startswith("add")]
    return "; ".join([*taken, *others, *given])


_VERBS = {Action.INVITE: "invite", Action.CHANGE_ROLE: "role", Action.UPDATE_GROUP: "change"}


def _some(groups: Sequence[str]) -> str:
    rest = len(groups) - GROUPS
    return ", ".join(groups[:GROUPS]) + (f" and {rest:,} more" if rest > 0 else "")


def _label(change: Change, labels: Mapping[GroupName, str]) -> str:
    return clipped(labels.get(change.group, change.group), 60) if change.group else ""


def _set_aside(
    entries: Iterable[Settled], labels: Mapping[GroupName, str], paint: Paint
) -> list[str]:
    remarks = [
        Remark(
            _where(entry, labels),
            partial(_why_aside, entry),
            entry.code,
            rows=len(entry.rows),
        )
        for entry in entries
    ]
    shade = _SHADES["!"]
    mark = paint("!", shade)
    lines = grouped(remarks, width=WIDTH - 2, paint=paint, shade=shade)
    return ["", *(f"{mark} {line}" for line in lines)] if lines else []


def _why_aside(entry: Settled) -> str:
    return (entry.message or meaning(entry.code)).rstrip(".")


def _where(entry: Settled, labels: Mapping[GroupName, str]) -> str:
    """Name the rows of an entry, or what it is about where no row asks for it."""
    if entry.rows or not entry.change:
        return places(entry.rows) or "this job:"
    return f"{_named(entry.change, labels)} ({_happens([entry.change], labels)}):"


def _nothing(rows: int, rejected: int, aside: int) -> str:
    """Say why there is nothing to send; only where every row is sound the tenant is as asked."""
    if not rows:
        return "Nothing to do: the sheets hold no rows."
    if rejected == rows:
        return "Nothing to send: every row is rejected."
    if aside:
        return "Nothing to send: what is left can't be done by this run."
    if rejected:
        return "Nothing to send: the tenant already is as the sound rows ask."
    return "Nothing to do: the tenant already is as the sheets ask."


def _sums(plan: Plan, forecast: Forecast, paint: Paint) -> list[str]:
    numbers = Counter(change.action for change in plan.changes)
    sums = [
        f"{number:,} {one if number == 1 else many} {verb}"
        for action, one, many, verb in _SUMS
        if (number := numbers[action])
    ]
    invitations = numbers[Action.INVITE]
    mails = count(invitations, "invitation e-mail") if invitations else "no e-mail"
    calls = count(forecast.calls, "call")
    pace = ""
    if forecast.per_minute and forecast.calls > (first := burst_of(forecast.per_minute)):
        pace = f" at {forecast.per_minute:,} calls a minute after the first {first}"
    takes = f"sends {mails} and takes {calls}, about {duration(forecast.seconds)}{pace}."
    return [
        "",
        *(paint(line, "bold") for line in wrapped("Plan: ", f"{', '.join(sums)}.")),
        *wrapped("This ", takes),
        f"Fingerprint: {plan.fingerprint}",
    ]


_SUMS = (
    (Action.INVITE, "person", "people", "to invite"),
    (Action.CREATE_GROUP, "group", "groups", "to create"),
    (Action.UPDATE_GROUP, "group", "groups", "to change"),
    (Action.CHANGE_ROLE, "role", "roles", "to change"),
    (Action.GRANT, "membership", "memberships", "to add"),
    (Action.REVOKE, "membership", "memberships", "to remove"),
)
