"""What a run leaves behind: one module a kind of file, each a function of the same values.

The values are the tables as they were read, a result for every row, the deeds and the totals. A writer gives bytes
(``rows``, ``summary``) or text (``text``); only ``files`` touches the disk, and only the command line prints.
"""
