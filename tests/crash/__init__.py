"""The installed command among processes, killed or failed at a call of the kernel: what it is asked, done to it, and owes.

``scenarios`` has the jobs and what they come to; ``trouble.c`` counts the calls and makes the trouble; ``command`` starts
the command under it; ``trial`` carries on afterwards and judges. Nothing of the package is imported but into ``warm``; the
tenant, too, is a process. ``python -m crash`` tries every point of every scenario.
"""
