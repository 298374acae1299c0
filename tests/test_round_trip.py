"""Every sheet of the torture corpus: run, its results opened and saved by another program, and handed back.

Nothing is sent twice, and the same rows need somebody. A sample is tried with every run of the tests, all of them with
``ONBOARDING_TEST_PROFILE=full``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from builders import user
from desk import Desk
from fakes import FakeTenant
from torture import exports, layouts, programs, text, values, workbooks
from torture.truth import Case

from onboarding.errors import SheetError
from onboarding.job import Report
from onboarding.model import Role
from onboarding.reconcile import Wishes
from onboarding.safety import Limit, Limits
from onboarding.sheets import Reading

CORPUS = [
    one
    for some in (text, layouts, exports, values, workbooks, programs)
    for one in some.cases()
    if not one.refused
]
EVERY = 1 if os.environ.get("ONBOARDING_TEST_PROFILE") == "full" else 24
TOGETHER = 12  # files that LibreOffice opens and saves in one go
OFFICE = shutil.which("soffice")
ASKED = {
    "wishes": Wishes(create_groups=True),
    "limits": Limits(*[Limit(number=10**6)] * 4),
}


class Trip:
    """One file's way: out of the corpus, through a run, and back."""

    def __init__(self, case: Case, folder: Path) -> None:
        self.case = case
        self.desk = Desk(folder)
        self.tenant = FakeTenant([user("olga", Role.ADMIN)], [], {})
        self.path = folder / case.file

    def out(self) -> Report | None:
        """Run the file; None where it is refused."""
        self.path.parent.mkdir(parents=True)
        self.path.write_bytes(self.case.content)
        return self._run(self.path, Reading(**self.case.how))

    def back(self, results: Path) -> Report | None:
        """Run what came of it; all that was said of how to read it is in the workbook now, but the kind."""
        return self._run(results, Reading(kind=self.case.how.get("kind")))

    def _run(self, path: Path, reading: Reading) -> Report | None:
        try:
            return self.desk.run(self.tenant, path, reading=reading, **ASKED)
        except SheetError:
            return None


@pytest.mark.skipif(not OFFICE, reason="needs the Debian package libreoffice-calc")
@pytest.mark.parametrize("first", range(0, len(CORPUS[::EVERY]), TOGETHER))
def test_what_comes_back_sends_nothing_and_fails_in_the_same_rows(
    first: int, tmp_path: Path
) -> None:
    cases = CORPUS[::EVERY][first : first + TOGETHER]
    trips = [Trip(case, tmp_path / str(n)) for n, case in enumerate(cases)]
    out = {n: report for n, trip in enumerate(trips) if (report := trip.out())}
    saved = in_libreoffice({n: _results(report) for n, report in out.items()}, tmp_path)
    astray = {
        trips[n].case.name: difference
        for n, report in out.items()
        if (difference := _difference(trips[n], report, saved[n]))
    }
    assert astray == {}


def _results(report: Report) -> Path:
    assert report.folder
    return report.folder / "results.xlsx"


def _difference(trip: Trip, out: Report, results: Path) -> str:
    sent = len(trip.tenant.writes())
    back = trip.back(results)
    if len(trip.tenant.writes()) != sent:
        return f"sent {trip.tenant.writes()[sent:]}"
    if not back:
        return "" if not out.results else "refused when handed back"
    before, after = _needing_somebody(out), _needing_somebody(back)
    return "" if before == after else f"{before - after} went, {after - before} came"


def _needing_somebody(report: Report) -> Counter[str]:
    return Counter(row.status.value for row in report.results if row.result in ("error", "manual"))


def in_libreoffice(books: dict[int, Path], folder: Path) -> dict[int, Path]:
    """Open and save workbooks with another program, all in one go; asked for none, it would wait for somebody."""
    if not books:
        return {}
    queue = folder / "queue"
    queue.mkdir()
    for n, book in books.items():
        shutil.copy(book, queue / f"{n}.xlsx")
    saved = folder / "saved"
    _convert(sorted(queue.iterdir()), saved, folder / "home")
    return {n: saved / f"{n}.xlsx" for n in books}


def _convert(books: Iterable[Path], into: Path, home: Path) -> None:
    command = [str(OFFICE), f"-env:UserInstallation=file://{home}", "--headless", "--convert-to"]
    kind = "xlsx:Calc MS Excel 2007 XML"
    subprocess.run(
        [*command, kind, "--outdir", into, *books], check=True, capture_output=True, timeout=240
    )
