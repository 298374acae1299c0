"""The barest way to read pages of JSON: ``read_pages.py URL WORKERS FILE``, one path a line in the file."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

url, workers, paths = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]).read_text().split()
mine = threading.local()


def read(path: str) -> None:
    """Read one."""
    if not hasattr(mine, "session"):
        mine.session = requests.Session()
        mine.session.trust_env = False
        mine.session.headers["Authorization"] = f"Bearer {os.environ['ONBOARDING_SANDBOX_KEY']}"
    answer = mine.session.get(url + path, timeout=60)
    answer.raise_for_status()
    answer.json()


with ThreadPoolExecutor(workers) as pool:
    for _ in pool.map(read, paths):
        pass
