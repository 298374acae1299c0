"""What a file is taken for, as text: done here, and by a Python that has pyarrow, so that both can be compared.

As a program: lines of base64 in, a line of JSON for each out, and before them whether columns are kept in one piece.
"""

from __future__ import annotations

import base64
import datetime as dt
import io
import json
import sys
from dataclasses import replace

from onboarding.errors import OnboardingError
from onboarding.intake import Rules, take_in
from onboarding.schemas.columns import BY_ARROW
from onboarding.sheets import Reading, read


def taken(content: bytes) -> str:
    try:
        tables = read(["-"], Reading(), stdin=io.BytesIO(content)).tables
        rules = Rules(today=dt.date(2026, 1, 5))
        intake = take_in(tables, rules)
        there = take_in(
            tables, replace(rules, allowed_domains=frozenset({"acme.example", "icme.example"}))
        )
    except OnboardingError as error:
        return f"{type(error).__name__}: {error}"
    cells = [(t.headers, t.frame.to_dict("split"), t.ignored, t.surplus) for t in tables]
    findings = (*intake.findings, *there.findings)
    found = [(f.code, f.message, str(f.row), f.column, f.value) for f in findings]
    return repr((cells, found, intake.desired, intake.held, [*intake.rows]))


if __name__ == "__main__":
    sys.stdout.write(f"{json.dumps(BY_ARROW)}\n")
    sys.stdout.flush()
    for line in sys.stdin:
        sys.stdout.write(f"{json.dumps(taken(base64.b64decode(line)))}\n")
        sys.stdout.flush()
