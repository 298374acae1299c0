"""The process that reads one workbook: what is asked on the first line of its input, then the workbook's bytes."""

from __future__ import annotations

import json
import sys

from onboarding.workbooks.inside import limit, lines

limit()
asked = json.loads(sys.stdin.buffer.readline())
for line in lines(sys.stdin.buffer.read(), asked["sheets"]):
    sys.stdout.write(f"{line}\n")
sys.stdout.flush()
