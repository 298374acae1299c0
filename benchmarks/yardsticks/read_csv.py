"""The barest way to read a sheet: ``read_csv.py FILE``."""

import sys

import pandas as pd

pd.read_csv(sys.argv[1], dtype=str)
