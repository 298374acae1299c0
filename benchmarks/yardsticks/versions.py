"""What a Python has that matters to its speed, as JSON: ``versions.py``."""

import json
import platform
import sys
from importlib.metadata import PackageNotFoundError, version

found = {"python": platform.python_version()}
for package in ("pandas", "pandera", "pyarrow", "requests", "pyatlan"):
    try:
        found[package] = version(package)
    except PackageNotFoundError:
        continue
sys.stdout.write(json.dumps(found))
