"""What the tool costs, beside yardsticks that are measured in the same run: ``python -m benchmarks``.

Only ratios count, since machines differ and are busy. A benchmark gives a ``Line`` for each goal: what, reached, goal,
yes or no. Big files and tenants are made from a seed in a temporary folder and go with it.
"""
