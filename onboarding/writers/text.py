"""Findings and totals in; what a terminal shows of them out. ``proposal`` does the same for a plan.

Everything is bounded, whatever the size of the job, and whatever comes from a sheet or a tenant is made plain:
it can neither forge a line nor speak to the terminal. Nothing here prints; colour is an argument.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from onboarding.model import Finding, Severity
from onboarding.plan import Status
from onboarding.report import Totals
from onboarding.words import fix, said, shortened, title

WIDTH = 80
FEW = 3  # places shown of a cause that repeats
LONG = 120  # characters of a message in a line


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

    place: str
    words: str
    code: str
    fix: str = ""
    """What to do, where it is more particular than the code's own."""
    rows: int = 1


def diagnostics(
    findings: Iterable[Finding], *, few: int = FEW, more: str = "", colour: bool = False
) -> str:
    """Show findings as a compiler would, rejections before notes; a cause that repeats is told once.

    ``more`` says where all of them are (``see results.csv``).
    """
    remarks: dict[Severity, list[Remark]] = {Severity.REJECT: [], Severity.NOTE: []}
    for finding in findings:
        place = str(finding.row or finding.source)
        remark = Remark(place, said(finding), finding.code, finding.fix)
        remarks[finding.severity].append(remark)
    paint = Paint(colour)
    rejected = grouped(remarks[Severity.REJECT], few=few, more=more, paint=paint, shade="red")
    noted = grouped(remarks[Severity.NOTE], few=few, more=more, paint=paint, shade="cyan")
    return page([*rejected, *noted])


def grouped(
    remarks: Iterable[Remark], *, few: int = FEW, more: str = "", paint: Paint, shade: str
) -> list[str]:
    """Give the lines for remarks, those of one code together, the commonest code first."""
    by_code: dict[str, list[Remark]] = defaultdict(list)
    for remark in remarks:
        by_code[remark.code].append(remark)
    lines = []
    for code, some in sorted(by_code.items(), key=lambda item: (-len(item[1]), item[0])):
        tag = paint(f"[{plain(code)}]", shade)
        single = [f"{clipped(remark.place)} {clipped(remark.words)}" for remark in some[:few]]
        if len(some) <= few:
            lines += [f"{line} {tag}" for line in single]
        else:
            rest = _rows(some) - _rows(some[:few])
            lines.append(f"{count(_rows(some), 'row')}: {clipped(title(code))} {tag}")
            lines += [f"  {line}" for line in single]
            lines.append(f"  ... and {rest:,} more{more and f', {more}'}")
        advice = dict.fromkeys(remark.fix or fix(code) for remark in some[:few])
        lines += [
            f"  fix: {clipped(text, 2 * LONG)}" for text in advice if _asks_for_something(text)
        ]
    return lines


def _asks_for_something(advice: str) -> bool:
    return bool(advice) and not advice.startswith("Nothing")


def _rows(remarks: Iterable[Remark]) -> int:
    """Count rows; several remarks of one place are about the same."""
    return sum({remark.place: remark.rows for remark in remarks}.values())


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
    lines = [paint(_headline(totals, seconds, calls), "bold"), ""]
    lines += [
        f"  {paint(f'{status.value:<10}', _RESULT_SHADES[status.result])} {number:>9,}  {_MEANS[status]}"
        for status, number in totals.by_status.items()
        if number
    ]
    if totals.reasons:
        lines += ["", "Why, most frequent first:", *_why(totals, paint)]
    if folder:
        lines += ["", f"Report: {plain(str(folder))}", *_files(files)]
    lines.append(f"Exit code {exit_code}: {_EXIT.get(exit_code, 'see the message above')}.")
    return page(lines)


_MEANS = {
    Status.REJECTED: "the row itself is wrong; nothing was sent for it",
    Status.IN_DOUBT: "sent, and not known to be done; a later run settles it",
    Status.FAILED: "the tenant refused",
    Status.SKIPPED: "not tried, because of something else",
    Status.MANUAL: "for somebody to do in Atlan",
    Status.APPLIED: "done, and seen in the tenant",
    Status.PLANNED: "would be done, or was not compared with a tenant",
    Status.UNCHANGED: "the tenant already was as asked",
}
_RESULT_SHADES = {"success": "green", "error": "red", "manual": "magenta", "planned": "cyan"}
_EXIT = {
    0: "all is well",
    1: "finished, and some rows need work",
    2: "the arguments or settings are wrong",
    3: "the input can't be used; nothing was sent",
    4: "the tenant can't be reached, or refuses the token",
    5: "stopped by a safety limit or by you; nothing was sent",
    70: "a bug of this tool; what was sent is recorded",
    74: "journal or report can't be written",
    75: "try again later",
    130: "interrupted; run it again to carry on",
    143: "interrupted; run it again to carry on",
}
REASONS = 4  # causes shown at the end
FILES = (
    ("results.csv", "every row with its result"),
    ("retry/", "the rows to correct and run again"),
    ("actions.csv", "every change, for the audit"),
)


def _headline(totals: Totals, seconds: float, calls: int) -> str:
    facts = [f"{count(totals.rows, 'row')} in {duration(seconds)}", count(calls, "call")]
    if totals.invited:
        facts.append(count(totals.invited, "invitation"))
    return ", ".join(facts)


def _why(totals: Totals, paint: Paint) -> list[str]:
    lines = []
    for reason in totals.reasons[:REASONS]:
        tag = f"[{clipped(reason.code, 30)}]"
        words = clipped(title(reason.code), WIDTH - len(tag) - 14)
        lines.append(f"  {reason.rows:>9,}  {words} {paint(tag, 'red')}")
    if len(totals.reasons) > REASONS:
        lines.append(f"  ... and {len(totals.reasons) - REASONS:,} more, see results.csv")
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
