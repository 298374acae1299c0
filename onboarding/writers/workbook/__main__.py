"""The process that writes into one workbook: the order on the first line of its input, then the workbook's bytes."""

from __future__ import annotations

import json
import sys

from onboarding.writers.workbook.annotate import annotated, limit

limit()
order = json.loads(sys.stdin.buffer.readline())
sys.stdout.buffer.write(annotated(sys.stdin.buffer.read(), order))
