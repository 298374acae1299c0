"""The process that reads one workbook: what is asked on the first line of its input, then the workbook's bytes."""

from __future__ import annotations

import json
import sys

from onboarding.workbooks.inside import limit, lines

print("{}", flush=True)  # noqa: T201  (up and running; whatever goes wrong from here on, the file did it)
asked = json.loads(sys.stdin.buffer.readline())
limit(asked["seconds"])
for line in lines(sys.stdin.buffer.read(), asked["sheets"]):
    print(line)  # noqa: T201  (to whoever started this)
