"""The barest way to a workbook's cells, for somebody who is to validate them with pandera: ``read_xlsx.py FILE``."""

import sys

import pandera.pandas  # noqa: F401 -- a second and more, and nobody validates with it without that
from python_calamine import CalamineWorkbook

CalamineWorkbook.from_path(sys.argv[1]).get_sheet_by_index(0).to_python()
