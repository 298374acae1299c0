"""The process that reads one workbook."""

from __future__ import annotations

from onboarding.confined import request
from onboarding.workbooks.inside import lines

print("{}", flush=True)  # noqa: T201  (up and running; whatever goes wrong from here on, the file did it)
asked, content = request()
for line in lines(content, asked["sheets"]):
    print(line)  # noqa: T201  (to whoever started this)
