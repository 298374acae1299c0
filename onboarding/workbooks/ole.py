"""An OLE compound file, the container of ``.xls``: its bytes in, its streams by name out."""

from __future__ import annotations

import struct

MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")
_LAST = 0xFFFFFFFA
"""From here on, a sector's number means something else: the end of a chain, a free sector."""


class Broken(ValueError):
    """A compound file that is not whole."""


class Compound:
    """A compound file; only what finding a stream takes."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        try:
            self._open()
        except (struct.error, IndexError) as error:
            raise Broken("it is cut short") from error

    def _open(self) -> None:
        content = self._content
        power, mini_power = struct.unpack_from("<HH", content, 30)
        if power not in (9, 12) or mini_power != 6:
            raise Broken("its sector size is unknown")
        self._size = 1 << power
        directory, _, self._smallest, mini_fat, _, more, _ = struct.unpack_from("<7I", content, 48)
        self._fat = self._table(self._fat_sectors(more))
        self._mini_fat = self._table(self._chain(mini_fat, self._fat))
        self._entries = {}
        self._mini = b""
        entries = b"".join(map(self._sector, self._chain(directory, self._fat)))
        for at in range(0, len(entries) - 127, 128):
            length, kind = struct.unpack_from("<HB", entries, at + 64)
            first, size = struct.unpack_from("<IQ", entries, at + 116)
            name = entries[at : at + max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
            if kind == 5:
                self._mini = b"".join(map(self._sector, self._chain(first, self._fat)))
            elif kind:
                self._entries[name.lower()] = (first, size & 0xFFFFFFFF)

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def __getitem__(self, name: str) -> bytes:
        first, size = self._entries[name]
        if size >= self._smallest:
            return b"".join(map(self._sector, self._chain(first, self._fat)))[:size]
        sectors = self._chain(first, self._mini_fat)
        return b"".join(self._mini[n << 6 : (n + 1) << 6] for n in sectors)[:size]

    def _sector(self, number: int) -> bytes:
        start = (number + 1) * self._size
        found = self._content[start : start + self._size]
        if not found:
            raise Broken("it is cut short")
        return found

    def _table(self, sectors: list[int]) -> tuple[int, ...]:
        whole = b"".join(map(self._sector, sectors))
        return struct.unpack(f"<{len(whole) // 4}I", whole[: len(whole) // 4 * 4])

    def _fat_sectors(self, more: int) -> list[int]:
        """Give the sectors that hold the file's own list of sectors: 109 in the header, further ones in a chain."""
        found = list(struct.unpack_from("<109I", self._content, 76))
        seen = set()
        while more < _LAST and more not in seen:
            seen.add(more)
            *listed, more = self._table([more])
            found += listed
        return [number for number in found if number < _LAST]

    @staticmethod
    def _chain(first: int, table: tuple[int, ...]) -> list[int]:
        """Follow a chain of sectors; one that bites its own tail is broken."""
        found: list[int] = []
        while first < _LAST:
            found.append(first)
            if len(found) > len(table):
                raise Broken("its sectors run in a circle")
            first = table[first]
        return found
