"""The embedded tenant as a child process: a database goes in, an address and a key come out.

It shares nothing with the rest of this package but HTTP, and it ends with us, however we end: its standard
input closes then.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from onboarding.errors import UsageError

DATABASE = Path("onboarding-sandbox.db")
KEY = "ONBOARDING_SANDBOX_KEY"


@dataclass(frozen=True, slots=True)
class Embedded:
    """Where it listens, which tenant it is, and what opens it."""

    url: str
    tenant: str
    key: str
    process: subprocess.Popen[str]


def database(tenant: str) -> Path | None:
    """Give the database that ``sandbox`` or ``sandbox:FILE`` means; None for any other tenant.

    >>> database("sandbox"), database("sandbox:demo.db"), database("https://acme.atlan.com")
    (PosixPath('onboarding-sandbox.db'), PosixPath('demo.db'), None)
    """
    name, _, file = tenant.partition(":")
    return (Path(file) if file else DATABASE) if name == "sandbox" else None


@contextmanager
def serving(database: Path, port: int = 0) -> Iterator[Embedded]:
    """Have an embedded tenant on the loopback; raises ``UsageError`` where it can't begin."""
    key = os.environ.get(KEY) or secrets.token_hex(16)
    with tempfile.TemporaryFile("w+") as complaints:
        process = subprocess.Popen(  # noqa: S603 -- our own interpreter and module
            [
                *(sys.executable, "-m", "onboarding.sandbox"),
                *("--db", str(database), "--port", str(port), "--until-stdin-closes"),
            ],
            env=os.environ | {KEY: key},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
            start_new_session=True,  # Ctrl-C is for us: the last calls still need an answer
        )
        with process:
            try:
                assert process.stdout
                line = process.stdout.readline()
                if not line:
                    process.wait()
                    complaints.seek(0)
                    raise UsageError(_complaint(complaints.read()))
                yield Embedded(**json.loads(line), key=key, process=process)
            finally:
                process.terminate()


def _complaint(said: str) -> str:
    last = said.strip().rpartition("\n")[2].removeprefix("onboarding.sandbox: ")
    return f"the embedded tenant {last or 'did not start'}; name another port or file"
