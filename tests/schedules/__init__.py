"""What can happen to a job, played through: the real program over a made-up clock, network, disk and tenant.

A *schedule* says what goes wrong and when: an answer that is lost, a request that is carried out late, a process that
dies, a disk that loses what was not flushed, another admin, how long it takes until the job is started again.
``play`` carries it out and raises ``Broken`` where a promise does not hold. Every schedule has a number, and the
same number is always the same schedule::

    python -m schedules 0 500000    # in the folder of the tests; says now and then how far it is
    python -m schedules 4711        # this one, call by call
"""
