"""Draw the pictures of the docs: ``python tests/pictures.py`` runs jobs and photographs their reports.

It needs the Debian packages chromium, libreoffice-calc and poppler-utils. The pictures lie in docs/pictures.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, ViewportSize, sync_playwright

HOME = Path(__file__).parent.parent
PICTURES = HOME / "docs" / "pictures"
SAMPLES = HOME / "sample_data"


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with TemporaryDirectory() as name, sync_playwright() as play:
        desk = Path(name)
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for picture, folder in jobs(desk).items():
            photograph(browser, folder / "report.html", PICTURES / f"{picture}.png")
            if picture == "mistakes":
                first_sheet(folder / "results.xlsx", PICTURES / "mistakes-workbook", desk)


def jobs(desk: Path) -> dict[str, Path]:
    """Run a job of each kind; give the picture's name and the run's folder."""
    good, some = people(desk / "people.csv", 300, every=0), people(desk / "hr.csv", 300, every=33)
    many = people(desk / "everybody.csv", 100_000, every=33)
    lifted = ("--create-groups", "--max-invitations", "500")
    return {
        "good": run(desk, "run", good, *lifted),
        "mistakes": run(desk, "run", some, *lifted),
        "plan": run(desk, "plan", SAMPLES / "teams.xlsx"),
        "refused": run(desk, "run", good, "--create-groups"),
        "interrupted": run(desk, "run", good, *lifted, stop_after=10),
        "many": run(desk, "validate", many),
    }


def people(path: Path, number: int, *, every: int) -> Path:
    """Write an HR export with a mistake in every so many rows."""
    wrong = ("{}@acme", "{}@acme.example Editor", "{}@acme.example", "")
    lines = ["Employee ID;First name;Last name;Work email;Role;Department;Groups"]
    for n in range(1, number + 1):
        first, last = FIRST[n % len(FIRST)], LAST[n // len(FIRST) % len(LAST)]
        address = f"{first}.{last}{n}@acme.example".lower()
        role = ("Member", "Guest", "Member")[n % 3]
        if every and n % every == 0:
            kind = n // every % 3
            address = ("", wrong[0].format(first.lower()), address)[kind]
            role = role if kind < 2 else "Editor"
        department = ("Finance", "Marketing", "Analytics", "Data Platform")[n % 4]
        lines.append(f"{n:06};{first};{last};{address};{role};{department};{department}")
    path.write_text("\n".join(lines) + "\n")
    return path


FIRST = ("Ana", "Ben", "Carla", "Dmitri", "Elif", "Farid", "Grace", "Hana", "Ivo", "Julia", "Kofi")
LAST = ("Kovacs", "Lund", "Mendes", "Novak", "Okafor", "Petrov", "Rossi", "Sato", "Tan", "Vogt")


def run(desk: Path, command: str, sheet: Path, *more: str, stop_after: int = 0) -> Path:
    """Run a job of its own, interrupted after so many lines of its journal if asked; give its run folder."""
    reports = desk / f"reports-{len(list(desk.iterdir()))}"
    tenant = [] if command == "validate" else ["--tenant", f"sandbox:{reports}.db"]
    yes = ["--yes"] if command == "run" else []
    program = Path(sys.executable).with_name("onboarding")
    started = subprocess.Popen(
        list(map(str, (program, command, sheet, *tenant, *yes, *more, "--reports", reports))),
        cwd=desk,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"XDG_STATE_HOME": str(desk / "state")},
    )
    if stop_after:
        while started.poll() is None and _lines(reports) < stop_after:
            time.sleep(0.01)
        started.send_signal(signal.SIGINT)
    started.wait()
    return next(reports.iterdir())


def _lines(reports: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in reports.rglob("journal.jsonl"))


def photograph(browser: Browser, page: Path, picture: Path) -> None:
    sight = browser.new_page(viewport=ViewportSize(width=1200, height=1000))
    sight.goto(page.as_uri())
    sight.wait_for_selector("body[data-ready]")
    if picture.stem == "plan":
        sight.locator("#changes").scroll_into_view_if_needed()
        sight.wait_for_selector("#change-grid .tabulator-row")
        sight.evaluate("document.getElementById('changes').scrollIntoView()")
    sight.screenshot(path=picture)
    sight.close()


def first_sheet(book: Path, picture: Path, desk: Path) -> None:
    """Have LibreOffice print a workbook, and keep its first page."""
    subprocess.run(
        ["soffice", "--headless", "--convert-to", "pdf", "--outdir", desk, book],
        check=True,
        capture_output=True,
    )
    subprocess.run(
        ["pdftoppm", "-png", "-r", "90", "-singlefile", desk / "results.pdf", picture], check=True
    )


if __name__ == "__main__":
    main()
