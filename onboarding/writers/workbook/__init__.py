"""A finished command in; the workbook that a reviewer reads, corrects and hands back out.

``results`` decides how it is made: the user's own ``.xlsx`` comes back as it looks (``own`` asks ``annotate`` for it, in a
process apart), all else in a workbook made from nothing (``fresh``). ``overview`` says what stands on the first sheet,
``style`` and ``look`` how everything looks, so that both ways look alike.
"""
