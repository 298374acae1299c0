"""Arguments come in, the command is run with them, in trouble or not; its exit code and the calls that it made go out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

from embedded import Tenant

KEY = "sandbox"
HOME = Path(__file__).parent
COMMAND = [str(Path(sys.executable).with_name("onboarding"))]
COMPILER = shutil.which("cc")


class Called(NamedTuple):
    """A call by which the command touched disk or network: the how-many-eth, its name, and what it was about."""

    number: int
    name: str
    about: str

    @classmethod
    def of(cls, line: str) -> Self:
        number, name, about = line.split(" ", 2)
        return cls(int(number), name, about)


@dataclass(frozen=True)
class Trouble:
    """What is done to the command, where: ``kill``, ``half`` or an errno, with a ``+`` from there on."""

    number: int
    call: str
    what: str

    def __str__(self) -> str:
        return f"{self.number} {self.call} {self.what}"


def library(folder: Path) -> Path:
    """Compile what makes the trouble."""
    assert COMPILER
    made = folder / "trouble.so"
    source = HOME / "trouble.c"
    flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run([COMPILER, *flags, "-o", made, source, "-ldl"], check=True)
    return made


class Machine:
    """A tenant that runs, a command that is warm, and what makes the trouble."""

    def __init__(self, folder: Path) -> None:
        self.library = library(folder)
        self._tenant = _child(
            "onboarding.sandbox", "--db", str(folder / "tenant.db"), "--until-stdin-closes"
        )
        self.tenant = Tenant(json.loads(_line(self._tenant))["url"])
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("ONBOARDING_", "COV_"))
        } | {
            "LD_PRELOAD": str(self.library),
            "ATLAN_BASE_URL": self.tenant.url,
            "ATLAN_API_KEY": KEY,
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self._warm = _child(f"{__package__}.warm", environment=self.environment, folder=HOME.parent)

    def run(self, folder: Path, *arguments: str, ahead: int = 0) -> int:
        """Run undisturbed, in a warm process; ``ahead``: so many seconds later, by the clock."""
        return self._fork(folder, arguments, {"TROUBLE_CLOCK": str(ahead)})

    def in_trouble(
        self, folder: Path, *arguments: str, trouble: Trouble | None = None, warm: bool = False
    ) -> int:
        """Run the installed command, or a warm one, and let the trouble come; its calls stand in ``calls`` then."""
        (folder / "calls").unlink(missing_ok=True)
        if warm:
            return self._fork(folder, arguments, _trouble(folder / "calls", trouble))
        with self.started(folder, *arguments, trouble=trouble) as process:
            return process.wait(timeout=120)

    def started(
        self,
        folder: Path,
        *arguments: str,
        trouble: Trouble | None = None,
        log: str = "calls",
        below: Sequence[str] = (),
    ) -> subprocess.Popen[bytes]:
        """Start the installed command; ``below`` is what starts it."""
        with (folder / "said").open("ab") as said:
            return subprocess.Popen(
                [*below, *COMMAND, *arguments],
                cwd=folder,
                env=self.environment | _trouble(folder / log, trouble) | {"HOME": str(folder)},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )

    def _fork(self, folder: Path, arguments: Sequence[str], more: dict[str, str]) -> int:
        asked = {
            "arguments": arguments,
            "folder": str(folder),
            "more": more | {"HOME": str(folder)},
        }
        assert self._warm.stdin
        self._warm.stdin.write(json.dumps(asked) + "\n")
        self._warm.stdin.flush()
        return int(_line(self._warm))

    def close(self) -> None:
        self.tenant.http.close()
        for process in (self._warm, self._tenant):
            process.communicate(timeout=30)


def calls(log: Path) -> list[Called]:
    """What a run did, by its log."""
    return [Called.of(line) for line in log.read_text(errors="replace").splitlines()]


def _trouble(log: Path, trouble: Trouble | None) -> dict[str, str]:
    return {"TROUBLE_LOG": str(log), "TROUBLE_AT": str(trouble or "")}


def _child(
    module: str,
    *arguments: str,
    environment: dict[str, str] | None = None,
    folder: Path | None = None,
) -> subprocess.Popen[str]:
    """A process that ends with us."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        env=environment,
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    line = process.stdout.readline()
    assert line, f"{process.args} has ended"
    return line
