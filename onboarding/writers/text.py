"""Findings and totals in; what a terminal shows of them out. ``proposal`` does the same for a plan.

Everything is bounded, whatever the size of the job, and whatever comes from a sheet or a tenant is made plain:
it can neither forge a line nor speak to the terminal. Nothing here prints; colour is an argument.
"""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path

from onboarding.findings import Findings
from onboarding.model import Finding, RowRef, Severity
from onboarding.plan import Status
from onboarding.totals import Totals
from onboarding.words import fix, said, shortened, title

WIDTH = 80
FEW = 3  # places shown of a cause that repeats
LONG = 200  # characters of a message in a line


def plain(text: str) -> str:
    r"""Spell out what is no printable character: controls, line breaks, marks that turn text around.

    >>> plain("a\nb\x1b[31m")
    'a\\nb\\x1b[31m'
    """
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode()
        for c in text
    )


# ---- diagnostics ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to be said of a place."""

    place: RowRef | str
    words: Callable[[], str]
    """Of many remarks only a few are shown, so the others are never put into words."""
    code: str
    fix: str = ""
    """What to do, where it is more particular than the code's own."""
    rows: int = 1
    """How many rows it is about; 0 where it is about a whole table."""
    times: int = 1
    """How many remarks it stands for."""

    @property
    def advice(self) -> str:
        """What to do; empty where nothing has to be done."""
        advice = self.fix or fix(self.code)
        return "" if advice.startswith("Nothing") else advice


def diagnostics(
    findings: Iterable[Finding], *, few: int = FEW, more: str = "", colour: bool = False
) -> str:
    """Show findings as a compiler would: a line each, in the order of the rows, rejections before notes.

    A cause that repeats is told once, before the others. ``more`` says where all of its rows are.
    """
    rejections: list[Remark] = []
    notes: list[Remark] = []
    shown, others = _some_of_each(findings, few)
    for finding in sorted(shown, key=_place):
        place, words = finding.row or finding.source, partial(said, finding)
        remark = Remark(place, words, finding.code, finding.fix, int(finding.row is not None))
        (rejections if finding.severity is Severity.REJECT else notes).append(remark)
    rejections += others
    paint = Paint(colour)
    rejected = grouped(rejections, few=few, more=more, paint=paint, shade="red")
    noted = grouped(notes, few=few, more=more, paint=paint, shade="cyan")
    return page([*rejected, *noted])


def _some_of_each(findings: Iterable[Finding], few: int) -> tuple[Iterable[Finding], list[Remark]]:
    """Give of what is wrong with a column only the first few findings, and a remark that stands for the others."""
    if not isinstance(findings, Findings):
        return findings, []
    many = max(few, _OF_TABLES)
    single = (*findings.first, *findings.single)
    shown: list[
        tuple[int, Finding]
    ] = []  # each with its turn: the single ones, then cause by cause
    others: list[Remark] = []
    codes = {cause.code for cause in findings.causes if cause.rows}
    same: dict[str, list[tuple[int, Finding]]] = {code: [] for code in codes}
    for turn, finding in enumerate(single):
        told = same.get(finding.code, shown) if finding.severity is Severity.REJECT else shown
        told.append((turn, finding))
    for code in sorted(codes):
        numbered = enumerate(findings.causes, len(single))
        causes = [(turn, cause) for turn, cause in numbered if cause.code == code]
        rows = {(f.row.table, f.row.row) for _, f in same[code] if f.row}
        rows.update((cause.table, row) for _, cause in causes for row in cause.rows)
        heads = [(turn, one) for turn, cause in causes for one in islice(cause, many)]
        first = sorted([*same[code], *heads], key=lambda each: _place(each[1]))[:many]
        shown += first
        if times := len(same[code]) + sum(len(cause.rows) for _, cause in causes) - len(first):
            left = len(rows) - len({one.row for _, one in first if one.row})
            others.append(Remark("", str, code, rows=left, times=times))
    return [one for _, one in sorted(shown, key=itemgetter(0))], others


def _place(finding: Finding) -> tuple[int, int]:
    """Give where a finding stands; those about a whole table come before every row."""
    return (finding.row.table, finding.row.row) if finding.row else (-1, 0)


_OF_TABLES = 20
"""What is said of whole tables is told up to here: of twenty unknown columns, the last may be the one that matters."""


def grouped(
    remarks: Sequence[Remark],
    *,
    few: int = FEW,
    more: str = "",
    width: int = WIDTH,
    paint: Paint,
    shade: str,
) -> list[str]:
    """Give the lines for remarks: first the causes that repeat, the commonest before; then the others as they come.

    A remark stays in one line, whatever the width, so that it can be searched for; what to do is wrapped.
    """
    by_code: dict[str, list[Remark]] = defaultdict(list)
    for remark in remarks:
        by_code[remark.code].append(remark)
    lines = []
    for code, some in sorted(by_code.items(), key=lambda item: (-_times(item[1]), item[0])):
        if len(some) > few:
            lines += _repeated(some, few, more, paint(f"[{plain(code)}]", shade))
            lines += _fixes((remark.advice for remark in some[:few]), width)
    single = (remark for remark in remarks if len(by_code[remark.code]) <= few)
    for (code, advice), same in groupby(single, key=lambda remark: (remark.code, remark.advice)):
        tag = paint(f"[{plain(code)}]", shade)
        lines += [f"{_line(remark)} {tag}" for remark in same]
        lines += _fixes([advice], width)
    return lines


def _times(some: Sequence[Remark]) -> int:
    return sum(remark.times for remark in some)


def _repeated(some: Sequence[Remark], few: int, more: str, tag: str) -> list[str]:
    """Tell a cause once: how often, the first places, how many more; in rows where each remark has its own."""
    own_rows = len({r.place for r in some}) == len(some) and all(r.rows >= r.times for r in some)
    numbers = [r.rows if own_rows else r.times for r in some]
    where = f", {more}" if more and own_rows else ""
    few = few if some[0].rows else max(few, _OF_TABLES)
    left = sum(numbers[few:])
    return [
        f"{count(sum(numbers), 'row' if own_rows else 'time')}: {clipped(title(some[0].code))} {tag}",
        *(f"  {_line(remark)}" for remark in some[:few]),
        *([f"  ... and {left:,} more{where}"] if left else []),
    ]


def _line(remark: Remark) -> str:
    return f"{clipped(str(remark.place))} {clipped(remark.words())}"


def _fixes(advice: Iterable[str], width: int) -> list[str]:
    told = (clipped(text, 2 * LONG) for text in dict.fromkeys(advice) if text)
    return [line for text in told for line in wrapped("  fix: ", text, width=width)]


# ---- the end of a run -------------------------------------------------------------------------------------------


def closing(
    totals: Totals,
    *,
    seconds: float,
    calls: int,
    exit_code: int,
    folder: Path | None = None,
    files: Iterable[str] = (),
    colour: bool = False,
) -> str:
    """Show how a run ended, in at most 25 lines of 80 columns (a longer folder is not cut)."""
    paint = Paint(colour)
    lines = [paint(_headline(totals, seconds, calls), "bold"), "", *_statuses(totals, calls, paint)]
    ending = ["", f"Report: {plain(str(folder))}", *_files(files)] if folder else []
    ending.append(f"Exit code {exit_code}: {_how_it_ended(exit_code, totals)}.")
    if totals.reasons:
        room = SCREEN - len(lines) - len(ending) - 2
        lines += ["", "Why, most frequent first:", *_why(totals, max(room, CAUSES), paint)]
    return page([*lines, *ending])


def _statuses(totals: Totals, calls: int, paint: Paint) -> list[str]:
    if not totals.rows:
        empty = "There is no row below the headers. Check that these are the right sheets."
        return [f"  {paint(empty, 'yellow')}"]
    means = MEANS if calls else MEANS | {Status.PLANNED: "valid; not compared with a tenant"}
    return [
        f"  {paint(f'{status.value:<10}', _RESULT_SHADES[status.result])} {number:>9,}  {means[status]}"
        for status, number in totals.by_status.items()
        if number
    ]


def _how_it_ended(exit_code: int, totals: Totals) -> str:
    if exit_code == 0 and totals.by_status.get(Status.MANUAL):
        return "nothing new; what is manual was reported before"
    if exit_code == 0 and not totals.rows:
        return "nothing went wrong, and nothing was done"
    return _EXIT.get(exit_code, "see the message above")


MEANS = {
    Status.REJECTED: "the row itself is wrong; nothing was sent for it",
    Status.IN_DOUBT: "sent, and not known to be done; a later run settles it",
    Status.FAILED: "the tenant refused",
    Status.SKIPPED: "not tried: something else stands in its way",
    Status.MANUAL: "for somebody to do in Atlan",
    Status.APPLIED: "done, and seen in the tenant",
    Status.PLANNED: "would be done",
    Status.UNCHANGED: "the tenant already was as asked",
}
_RESULT_SHADES = {"success": "green", "error": "red", "manual": "magenta", "planned": "cyan"}
_EXIT = {
    0: "all is well",
    1: "finished, and some rows need work",
    2: "the arguments or settings are wrong",
    3: "unusable sheets, or too many wrong rows; nothing was sent",
    4: "the tenant can't be reached, or refuses the token",
    5: "stopped by a safety limit or by you; nothing was sent",
    70: "a bug of this tool; what was sent is recorded",
    74: "journal or report can't be written",
    75: "try again later",
    130: "interrupted; run it again to carry on",
    143: "interrupted; run it again to carry on",
}
SCREEN = 23  # lines at the end; a terminal of 24 then shows them all, and its prompt
CAUSES = 4  # lines for causes in any case; with all eight statuses that makes 25
FILES = (
    ("report.html", "what happened and what needs you: open this first"),
    ("results.csv", "every row with its result"),
    ("results.xlsx", "the same to read and correct, with the mistakes marked"),
    ("retry/", "the rows to correct and run again"),
    ("actions.csv", "every change, for the audit"),
    ("undo.json", "the way back, for `onboarding apply`"),
)


def _headline(totals: Totals, seconds: float, calls: int) -> str:
    facts = [f"{count(totals.rows, 'row')} in {duration(seconds)}"]
    if calls:
        facts.append(count(calls, "call"))
    if totals.invited:
        facts.append(count(totals.invited, "invitation"))
    return ", ".join(facts)


def _why(totals: Totals, room: int, paint: Paint) -> list[str]:
    reasons = totals.reasons
    shown = reasons if len(reasons) <= room else reasons[: room - 1]
    lines = []
    for reason in shown:
        tag = f"[{clipped(reason.code, 30)}]"
        words = clipped(title(reason.code), WIDTH - len(tag) - 14)
        lines.append(f"  {reason.rows:>9,}  {words} {paint(tag, 'red')}")
    if len(reasons) > len(shown):
        lines.append(f"  ... and {len(reasons) - len(shown):,} more")
    return lines


def _files(files: Iterable[str]) -> list[str]:
    there = {name.partition("/")[0] + "/" * ("/" in name) for name in files}
    return [f"  {name:<12}  {words}" for name, words in FILES if name in there]


# ---- small print ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Paint:
    """Colours text, or leaves it."""

    on: bool

    def __call__(self, text: str, shade: str) -> str:
        """Give the text in ``bold`` or a colour of ``_CODES``."""
        return f"\x1b[{_CODES[shade]}m{text}\x1b[0m" if self.on else text


_CODES = {"bold": 1, "red": 31, "green": 32, "yellow": 33, "magenta": 35, "cyan": 36}


def clipped(text: str, length: int = LONG) -> str:
    """Make plain, and cut what is too long to read in a line."""
    return shortened(plain(text[: length + 1]), length)


def wrapped(head: str, text: str, *, indent: int | None = None, width: int = WIDTH) -> list[str]:
    """Break a text between words, and go on below where it began; the head and longer words stay whole.

    >>> wrapped("fix: ", "Write yes or no.", width=15)
    ['fix: Write yes', '     or no.']
    """
    return textwrap.wrap(
        text,
        width,
        initial_indent=head,
        subsequent_indent=" " * (len(head) if indent is None else indent),
        break_long_words=False,
        break_on_hyphens=False,
    )


def count(number: int, word: str) -> str:
    """Count things.

    >>> count(1, "row"), count(1200, "row")
    ('1 row', '1,200 rows')
    """
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """Say how long, in the unit that a person would use."""
    if seconds < 90:
        return count(max(1, round(seconds)), "second")
    if seconds < 90 * 60:
        return count(round(seconds / 60), "minute")
    return f"{seconds / 3600:.1f} hours"


def page(lines: Sequence[str]) -> str:
    """Join lines, each with its line break; nothing for none."""
    return "\n".join(lines) + "\n" if lines else ""
