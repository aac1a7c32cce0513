#!/usr/bin/env python3
"""Run a test that has a mistake planted in it: it must fail, as expected.

usage: found.py PATTERN PROGRAM [ARGUMENT...]

What a test does is random, and a mistake may take some runs to show, or show in
another way first, or a busy machine may be too slow for the little patience that
such runs have. So there are several, until what one says matches the pattern. A
test that cannot run here is skipped.
"""

import re
import subprocess
import sys

RUNS = 12
SKIPPED = 77

pattern, *program = sys.argv[1:]
for number in range(1, RUNS + 1):
    run = subprocess.run(program, text=True, check=False,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    print(run.stdout, end='')
    if run.returncode == SKIPPED:
        sys.exit(SKIPPED)
    if run.returncode != 0 and re.search(pattern, run.stdout):
        print('found in run', number)
        sys.exit(0)
sys.exit(f'the mistake was not found in {RUNS} runs: none failed with {pattern}')
