#!/usr/bin/env python3
"""Run a test that has a mistake planted in it: it must fail, as expected.

usage: found.py PATTERN PROGRAM

What a test does is random, and a mistake may take some runs to show. Fails if
the program does not fail in any of them, or if none of its failures matches the
pattern: then the mistake was not what it failed for.
"""

import re
import subprocess
import sys

RUNS = 8

pattern, program = sys.argv[1:]
for _ in range(RUNS):
    run = subprocess.run([program], text=True, check=False,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    print(run.stdout, end='')
    if run.returncode != 0:
        break
if run.returncode == 0:
    sys.exit('the mistake was not found')
if not re.search(pattern, run.stdout):
    sys.exit('the test failed, but not for the mistake: no ' + pattern)
