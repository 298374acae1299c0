"""The facts of a run in; the object that ``summary.json`` holds and ``--json`` prints out.

Names are stable, since people script against them: one that changes its meaning makes ``format`` 2.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from onboarding import __version__
from onboarding.plan import Action, Status
from onboarding.sheets import Source, Table
from onboarding.totals import Totals

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Facts:
    """What the totals don't say of a run."""

    command: str
    started: datetime
    finished: datetime
    exit_code: int
    tenant: str = ""
    """Empty where none was contacted."""
    fingerprint: str = ""
    """The plan's; empty where there was none."""
    calls_announced: int = 0
    calls_made: int = 0
    waits: Mapping[str, float] | None = None
    """Seconds spent waiting, by what for: ``rate-limit``."""
    sources: Sequence[Source] = ()
    tables: Sequence[Table] = ()
    files: Collection[str] = ()
    """What was written, relative to the run folder."""
    folder: str = ""
    error: str = ""
    """What stopped the run, if anything did."""


def summary(facts: Facts, totals: Totals) -> dict[str, Any]:
    """Give the summary as an object that JSON can hold; every name is there in every run."""
    return {
        "format": FORMAT,
        "version": __version__,
        "command": facts.command,
        "tenant": facts.tenant,
        "started": _time(facts.started),
        "finished": _time(facts.finished),
        "seconds": round((facts.finished - facts.started).total_seconds(), 3),
        "exit_code": facts.exit_code,
        "error": facts.error,
        "rows": totals.rows,
        "results": dict(totals.by_result),
        "statuses": {status.value: totals.by_status.get(status, 0) for status in Status},
        "changes": {
            action.value: {
                status.value: number for status, number in totals.by_action.get(action, {}).items()
            }
            for action in Action
        },
        "codes": {reason.code: reason.rows for reason in totals.reasons},
        "invitations_sent": totals.invited,
        "calls": {"announced": facts.calls_announced, "made": facts.calls_made},
        "waits": {what: round(seconds, 3) for what, seconds in (facts.waits or {}).items()},
        "fingerprint": facts.fingerprint,
        "inputs": [
            {"name": source.name, "sha256": source.sha256, "bytes": source.size}
            for source in facts.sources
        ],
        "tables": [*map(_table, facts.tables)],
        "folder": facts.folder,
        "files": sorted(facts.files),
    }


def _table(table: Table) -> dict[str, Any]:
    """Say how a table was read; header row, rows and what was left out are all the lines of the file.

    ``--explain`` says more under the same names.
    """
    return {
        "source": table.source,
        "kind": table.columns.kind.value,
        "template": table.columns.template,
        "encoding": table.encoding,
        "delimiter": table.delimiter,
        "header_row": table.top,
        "rows": len(table.frame),
        "left_out": dict(Counter(why for why in table.ignored.values() if why != "headers")),
    }


def as_json(content: Mapping[str, Any]) -> bytes:
    """Give JSON for a file or a pipe: sorted names, one line each, a final newline."""
    text = json.dumps(content, sort_keys=True, indent=2, ensure_ascii=False)
    # A lone surrogate becomes \udXXX, which inside a JSON string is the escape for just that.
    return f"{text}\n".encode(errors="backslashreplace")


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
