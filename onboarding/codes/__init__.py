"""Every finding and outcome code: what it means and what to do, in words for an HR person.

The one place for such words. ``onboarding explain CODE``, the ``result_fix`` column and docs/codes.md come from here.
"""

from __future__ import annotations

from onboarding.codes.entry import Code
from onboarding.codes.notes import NOTES
from onboarding.codes.outcomes import OUTCOMES
from onboarding.codes.rows import ROWS

__all__ = ["CODES", "Code"]

CODES: dict[str, Code] = {**ROWS, **NOTES, **OUTCOMES}
