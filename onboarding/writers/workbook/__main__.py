"""The process that writes into one workbook."""

from __future__ import annotations

import sys
from typing import cast

from onboarding.confined import request
from onboarding.writers.workbook.annotate import annotated
from onboarding.writers.workbook.style import Order

order, content = request()
sys.stdout.buffer.write(annotated(content, cast(Order, order)))
