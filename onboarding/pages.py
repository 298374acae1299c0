"""A list of the tenant's: where it stands and how to read a record come in, all its records go out, page by page.

Pages may be shorter or longer than asked, may overlap, and may come without records or counts; a list may change while
it is read. What can't be true is read again, and refused if it stays so.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from itertools import chain
from operator import itemgetter
from types import MappingProxyType
from typing import Any, Required, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from onboarding import records
from onboarding.errors import Protocol
from onboarding.records import Record
from onboarding.tenant import Spread

Params = list[tuple[str, str]]
T = TypeVar("T")

READINGS = 5  # of a list that changes while it is read
AHEAD = 100  # pages asked for before the first of them is looked at
PAGE = 100  # records asked for at once; the most that is known to be allowed


class Pages:
    """All lists of one tenant. ``get`` reads a path with parameters, ``rest`` waits before the next attempt."""

    def __init__(
        self,
        get: Callable[[str, Params, Callable[[bytes], Any]], Any],
        rest: Callable[[int], None],
    ) -> None:
        self.size = PAGE
        """Records on a full page. A tenant that caps its pages, or gives all at once, shows it on the first long list."""
        self._get = get
        self._rest = rest
        self._counts = True
        """Whether the tenant says how long its lists are."""

    def calls(self, records: int) -> int:
        """Count the requests of a listing; where the tenant does not count, an empty page is the end."""
        more = not self._counts and records > 0
        return max(1, math.ceil(records / self.size)) + more

    def all(
        self,
        path: str,
        sort: str,
        make: Callable[[Record], T],
        params: Params | None = None,
        found: Mapping[str, T] | None = None,
        total: int | None = None,
        known: Mapping[str, T] = MappingProxyType({}),
        spread: Spread = map,
    ) -> list[T]:
        """Read a list, and again if it changes meanwhile; ``found`` of ``total`` were read before.

        A record of one of the ``known`` is not made again. ``spread`` may read several pages at once.
        """

        def read(offset: int) -> tuple[dict[str, T], int, int | None]:
            shown, came, count = self.one(path, sort, params or [], offset, known)
            made = {key: known.get(key) or make(record) for key, record in shown.items()}
            return made, came, count

        before: set[str] | None = None
        found = found or {}
        for reading in range(READINGS):
            if reading:  # others are at work, maybe threads of ours
                self._rest(reading)
            found, complete, doubled = self._read_on(read, found, total, spread)
            if complete or (doubled and found.keys() == before):
                return list(found.values())
            before, found, total = set(found), {}, None
        raise Protocol(
            f"The tenant's list {path} does not add up: it was read {READINGS} times, and what came "
            "was never as many as the tenant says there are. Run again later."
        )

    def one(
        self,
        path: str,
        sort: str,
        params: Params,
        offset: int = 0,
        known: Mapping[str, object] = MappingProxyType({}),
    ) -> tuple[Mapping[str, Record], int, int | None]:
        """Read one page: its records by id, how many came, and how many there are on all pages by the tenant's count."""
        paging = {"limit": str(PAGE), "offset": str(offset), "count": "true", "sort": sort}
        read = partial(_ids_of_known, known) if known else json.loads
        page = records.object_of(self._get(path, [*params, *paging.items()], read), path)
        shown, total = page.get("records") or [], records.count_of(page)
        if (total is None and "records" not in page) or not isinstance(shown, list):
            raise Protocol(f"The tenant's answer about {path} is no list.")
        by_id = {records.id_of(record, path): record for record in shown}
        self._learn(offset, len(shown), total)
        return by_id, len(shown), total

    def _read_on(
        self,
        read: Callable[[int], tuple[dict[str, T], int, int | None]],
        begun: Mapping[str, T],
        total: int | None,
        spread: Spread,
    ) -> tuple[dict[str, T], bool, bool]:
        """Read the pages that are left: the records by id, whether they are all, whether only repeats are missing.

        The first page shows where the others begin, so that several may be read at once; where one is shorter than
        that, or longer, the rest is read one by one. A count is believed unless more records than that have come; then
        an empty page is the end.
        """
        found, offset = dict(begun), len(begun)
        last = (total or 0) if begun else 0
        lot = self.size * AHEAD  # a count that can't be true costs no more calls than these
        begin, fits = iter(range(offset, last, self.size)), True
        ahead = chain.from_iterable(
            spread(read, range(first, min(first + lot, last), self.size))
            for first in range(offset, last, lot)
        )
        while not _is_end(len(found), offset, total):
            if fits and next(begin, None) != offset:
                fits, ahead = False, chain()  # letting go of it calls off what has not begun
            shown, came, count = next(ahead) if fits else read(offset)
            if offset and count != total:
                return found, False, False
            total, before = count, len(found)
            found |= shown
            offset += came
            if len(found) == before and not _is_end(before, offset, total):
                believed = total is not None and total >= before
                return found, not believed and not came, False
        return found, len(found) == total, offset == total

    def _learn(self, offset: int, came: int, total: int | None) -> None:
        """Learn from a page how large pages are here, and whether counts can be believed."""
        if came:
            self._counts = total is not None and total >= offset + came
        if came and not offset and came < min(PAGE, total or 0):
            self.size = came
        elif came > PAGE:
            self.size = sys.maxsize


def _is_end(found: int, offset: int, total: int | None) -> bool:
    """Whether a list has been read to its end, by a count that can be true."""
    return total is not None and found <= total <= offset


# ---- pages of which only the ids are wanted ------------------------------------------------------------------


@with_config(ConfigDict(extra="ignore"))
class _Id(TypedDict):
    id: str


@with_config(ConfigDict(extra="forbid", cache_strings="keys"))  # an error may say more
class _Ids(TypedDict, total=False):
    records: Required[list[_Id]]
    totalRecord: Any
    filterRecord: Any


_ids = TypeAdapter(_Ids)


def _ids_of_known(known: Mapping[str, object], content: bytes) -> Any:
    """Read JSON; of a page on which all are known only their ids, which takes half the time and a tenth of the memory."""
    with suppress(ValidationError):
        page = _ids.validate_json(content)
        if all(map(known.__contains__, map(itemgetter("id"), page["records"]))):
            return page
    return json.loads(content)
