"""Log records in; one line of JSON each out, without a secret, and without an address above debug level."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from onboarding.errors import StorageError
from onboarding.writers.files import PRIVATE_FILE

ADDRESS = re.compile(r"[^\s\"'<>(),;:@]{1,64}@[^\s\"'<>(),;:]{1,255}")


class JsonLines(logging.Formatter):
    """One JSON object a line; what is no plain letter comes escaped, so that no datum can forge a line."""

    def __init__(self, run: str, secrets: Collection[str] = ()) -> None:
        super().__init__()
        self.run = run
        self.secrets = sorted(filter(None, secrets), key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """Give the record as one line."""
        facts = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "run": self.run,
            "from": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            facts["trace"] = self.formatException(record.exc_info)
        kept = {name: self._kept(text, record.levelno) for name, text in facts.items()}
        return json.dumps(kept, ensure_ascii=True)

    def _kept(self, text: str, level: int) -> str:
        for secret in self.secrets:
            text = text.replace(secret, "[secret]")
        return text if level <= logging.DEBUG else ADDRESS.sub("[address]", text)


def to_file(path: Path, run: str, secrets: Collection[str] = ()) -> logging.Handler:
    """Give a handler that appends to a new file of its owner's only. The caller removes and closes it."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        stream = os.fdopen(os.open(path, flags, PRIVATE_FILE), "w", encoding="ascii")
    except OSError as error:
        raise StorageError(
            f"{path} can't be written: {error.strerror or error}. Name another folder with --reports."
        ) from error
    handler = _Owning(stream)
    handler.setFormatter(JsonLines(run, secrets))
    return handler


class _Owning(logging.StreamHandler[TextIO]):
    """Closes its stream, as logging does only for one that it opened; says nothing of a full disk.

    The log is a convenience: failing to keep it must neither stop a run nor print the record elsewhere.
    """

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's name
        """Let the record go."""

    def close(self) -> None:
        with suppress(OSError):
            self.stream.close()
        super().close()
