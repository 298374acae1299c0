"""Words in; which of them are one slip of the finger apart out.

Words one letter apart share a word with one letter less. Looking for shared ones takes one look at each word; comparing
each with every other would take minutes for a company.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from itertools import chain
from typing import TypeVar

Word = TypeVar("Word", bound=str)


def marks(word: str) -> set[str]:
    """Give the word, and all that is left of it with one letter less."""
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}


def near(
    strange: Collection[Word],
    known: Collection[Word],
    marks: Callable[[str], set[str]] = marks,
) -> Mapping[Word, set[Word]]:
    """Give, for each strange word, the known ones that share a mark with it.

    Of all their marks few are shared, and to find those a number for each mark will do: texts would take more room.
    """
    fewer, more = (
        map(hash, chain.from_iterable(map(marks, words)))
        for words in sorted((strange, known), key=len)
    )
    shared = set(fewer)
    shared.intersection_update(more if shared else ())
    marked: defaultdict[str, set[Word]] = defaultdict(set)
    for word in strange if shared else ():
        for mark in marks(word):
            if hash(mark) in shared:
                marked[mark].add(word)
    found: defaultdict[Word, set[Word]] = defaultdict(set)
    for word in known if marked else ():
        for mark in marked.keys() & marks(word):
            for similar in marked[mark] - {word}:
                found[similar].add(word)
    return found
