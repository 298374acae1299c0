"""A sheet written by pandas and by us, in turns: ``write_csv.py FILE FOLDER ROUNDS``; the seconds of each round go out as JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pandas as pd

from onboarding.intake import Rules, take_in
from onboarding.report import not_compared
from onboarding.sheets import Reading, read
from onboarding.writers import files, rows

sheet, folder, rounds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
frame = pd.read_csv(sheet, dtype=str)
tables = read([sheet], Reading()).tables
intake = take_in(tables, Rules())
results = not_compared(intake.rows, intake.findings)
taken: dict[str, list[float]] = {"to_csv": [], "results.csv": []}
for _ in range(rounds):
    began = time.perf_counter()
    frame.to_csv(folder / "bare.csv", index=False)
    between = time.perf_counter()
    files.whole(folder / "results.csv", rows.results_csv(tables, results))
    taken["to_csv"].append(between - began)
    taken["results.csv"].append(time.perf_counter() - between)
sys.stdout.write(json.dumps(taken))
