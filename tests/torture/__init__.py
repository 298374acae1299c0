"""A seeded generator of spreadsheets of every shape, each with what a careful person would read in every row.

``truth`` holds the oracle: cases, and what differs between a case and what the package made of it. ``render`` writes one
table of cells as any kind of file. The other modules make the cases: ``text``, ``layouts``, ``values``, ``workbooks``
and ``containers``. ``fuzz`` looks for what none of them thought of.

Nothing here looks at how the package reads: what is expected comes from the contract and from common sense.
"""
