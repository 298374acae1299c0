"""What became of the files of an inbox in; a line for each, and all of it as an object for ``--json``, out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onboarding import __version__

if TYPE_CHECKING:
    from onboarding.inbox import Left, Taken


def receipt(taken: Taken) -> str:
    """Say in one line what was taken, what came of it, and where the report lies; no address stands in it."""
    from onboarding.writers.text import count, plain

    parts = [_counts(taken, count), f"exit {taken.exit_code}"]
    if taken.same_as:
        parts.append(f"the same file as in {taken.same_as}")
    if not taken.moved:
        parts.append("it stays in the inbox, and the next run begins with it")
    if taken.summary:
        parts.append(str(taken.summary["folder"]))
    return plain(f"{taken.name}: {'; '.join(parts)}")


def _counts(taken: Taken, count: Any) -> str:
    if not taken.summary:
        return "not taken"
    results = taken.summary["results"].items()
    told = ", ".join(f"{number:,} {result}" for result, number in results if number)
    rows = count(taken.summary["rows"], "row")
    return f"{rows}: {told}" if told else rows


def left_alone(left: Left) -> str:
    """Say in one line what lies in the inbox and why nobody touches it."""
    return f"{left.name} is left in the inbox: {left.why}"


def facts(inbox: Path, taken: Sequence[Taken], left: Sequence[Left], code: int) -> dict[str, Any]:
    """Give the same for a program."""
    return {
        "version": __version__,
        "inbox": str(inbox),
        "exit_code": code,
        "taken": [
            {
                "name": one.name,
                "exit_code": one.exit_code,
                "error": str(one.error or ""),
                "same_as": one.same_as,
                "moved": one.moved,
                "summary": one.summary,
            }
            for one in taken
        ],
        "left": [{"name": one.name, "why": one.why} for one in left],
    }
