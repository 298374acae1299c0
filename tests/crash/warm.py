"""A command that has started already: it waits with everything imported, and each job is done by a fork of it.

Two thirds of a small job's time are imports. This saves them where the start of a process is not what is tried. In: one
line of JSON for each job, ``{"arguments": [...], "folder": "...", "more": {...}}``. Out: one line with its exit code.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress

# ruff: noqa: F401 -- so that they are there
import xlsxwriter

import onboarding.atlan
import onboarding.auth
import onboarding.cli.logs
import onboarding.cli.work
import onboarding.config.settings
import onboarding.pipeline
import onboarding.writers.log
import onboarding.writers.proposal
from onboarding.cli import main
from onboarding.writers.page import template


def serve() -> None:
    template()
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            with suppress(BaseException):
                os._exit(_do(**asked))
            os._exit(70)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.stdout.write(f"{code}\n")
        sys.stdout.flush()


def _do(arguments: list[str], folder: str, more: dict[str, str]) -> int:
    os.chdir(folder)
    nothing = os.open(os.devnull, os.O_RDONLY)
    said = os.open("said", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number, file in enumerate((nothing, said, said)):
        os.dup2(file, number)
    os.environ.update(more)
    sys.argv = ["onboarding", *arguments]
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


if __name__ == "__main__":
    serve()
