"""The embedded tenant as a child process: a database goes in, an address and a key come out.

It shares nothing with the rest of this package but HTTP, and it ends with us, however we end: its standard
input closes then. What can be set in it, it says itself.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from onboarding.cli import options
from onboarding.errors import UsageError

if TYPE_CHECKING:
    import subprocess  # imported where it is needed: other commands' help does without

DATABASE = Path("onboarding-sandbox.db")
KEY = "ONBOARDING_SANDBOX_KEY"


_COMMAND = (sys.executable, "-m", "onboarding.sandbox")


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
def serving(database: Path, port: int = 0, more: Sequence[str] = ()) -> Iterator[Embedded]:
    """Have an embedded tenant on the loopback; raises ``UsageError`` where it can't begin."""
    import json
    import secrets
    import subprocess
    import tempfile

    key = os.environ.get(KEY) or secrets.token_hex(16)
    with tempfile.TemporaryFile("w+") as complaints:
        process = subprocess.Popen(  # noqa: S603 -- our own interpreter and module
            [
                *_COMMAND,
                *("--db", str(database), "--port", str(port), "--until-stdin-closes", *more),
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
    if last.startswith("can't be set up"):
        return f"the embedded tenant {last}"
    return f"the embedded tenant {last or 'did not start'}; name another port or file"


# ---- how it is to behave: it knows itself, and is asked -------------------------------------------------------------

_BEHAVIOUR = "How it behaves"

switch = options.option(
    "--switch",
    section=_BEHAVIOUR,
    by_hand=True,
    multiple=True,
    metavar="NAME=VALUE",
    help="Turn a switch, below; may be repeated.",
)
fault = options.option(
    "--fault",
    section=_BEHAVIOUR,
    by_hand=True,
    multiple=True,
    metavar="TEXT",
    help="Let calls go wrong, as in --fault 'drop-after match=POST times=2'; may be repeated.",
)
faults = options.option(
    "--faults",
    section=_BEHAVIOUR,
    type=options.A_FILE,
    metavar="FILE",
    help="JSON with switches and faults, as /__sandbox__/faults shows and takes it.",
)


def arguments(switch: Sequence[str], fault: Sequence[str], faults: Path | None) -> list[str]:
    """Hand the three on, as they came: what they may say is the tenant's to know."""
    named = [("--switch", each) for each in switch] + [("--fault", each) for each in fault]
    file = [("--faults", str(faults))] if faults else []
    return [f"{name}={value}" for name, value in (*file, *named)]


class Page(options.Page):
    """Help that ends with everything which can be set, in the tenant's own words."""

    def format_epilog(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        """Ask a process, as it is neither imported nor repeated here."""
        import json
        import subprocess

        asked = [*_COMMAND, "--describe"]
        told = subprocess.run(asked, capture_output=True, check=True, text=True)  # noqa: S603 -- ours
        for heading, entries in json.loads(told.stdout).items():
            with formatter.section(heading):
                formatter.write_dl([(term, text) for term, text in entries], col_max=24)
