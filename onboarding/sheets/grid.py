"""What every kind of file is read into: rows of text cells, numbered as the user's program shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Place = tuple[int, int]
"""Row number from 1, position of the column from 0."""
REPORT_TITLE = "Onboarding report"
"""The first cell of the first sheet of a ``results.xlsx``, by which a report that is fed back is known."""
SURPLUS = "result_surplus"
"""The header under which a report keeps cells beyond the last one, so that they are that again when it is fed back."""


@dataclass(frozen=True, slots=True)
class Grid:
    """All the cells of a text file or of one sheet; the row with number n is ``rows[n - 1]``."""

    rows: Sequence[Sequence[str]]
    sheet: str | None = None
    encoding: str = ""
    delimiter: str = ""
    doubt: str = ""
    """Why the encoding is only a guess, in words that say what to do; empty where it is certain."""
    open_end: bool = False
    """Whether the last line of a text file has no line end: it may have been cut off."""
    errors: Mapping[Place, str] = field(default_factory=dict)
    """What the spreadsheet shows instead of a value; empty: nothing yet."""
    covered: frozenset[Place] = frozenset()
    """Cells that another one covers, whose value shows there too."""
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()

    @property
    def is_report(self) -> bool:
        """Whether it is the first sheet of our own report."""
        return bool(self.rows and self.rows[0] and self.rows[0][0].strip() == REPORT_TITLE)

    @property
    def is_example(self) -> bool:
        """Whether it says in its first cell that it is one, as in the workbook of ``onboarding template``."""
        return bool(self.rows and self.rows[0] and self.rows[0][0].startswith("Example, not read:"))
