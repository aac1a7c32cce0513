#!/usr/bin/env python3
"""Run a test that has a mistake planted in it: it must fail, as expected.

usage: found.py [--compare] PATTERN PROGRAM [ARGUMENT...]

What a test does is random, and a mistake may take some runs to show, or show in
another way first, or a busy machine may be too slow for the little patience that
such runs have. So there are several, until what one says matches the pattern. A
test that cannot run here is skipped.

With --compare, where what is said may be that time was up, a slow machine is
told from a mistake: right after a run that matches the test is run with the
server that has no mistake, and the same little patience. If that says so as
well, nothing was found.
"""

import os
import re
import subprocess
import sys

RUNS = 12
SKIPPED = 77

arguments = sys.argv[1:]
compares = arguments[0] == '--compare'
pattern, *program = arguments[compares:]
innocent = {name: value for name, value in os.environ.items()
            if name != 'ACTA_TEST_ACTAD'}
if compares and innocent == os.environ:
    sys.exit('there is nothing to compare with: no ACTA_TEST_ACTAD')


def run(environment):
    """How the test ends, and whether it says what is expected."""
    done = subprocess.run(program, text=True, check=False, env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    print(done.stdout, end='')
    return done.returncode, (done.returncode != 0 and
                             re.search(pattern, done.stdout) is not None)


for number in range(1, RUNS + 1):
    status, matches = run(os.environ)
    if status == SKIPPED:
        sys.exit(SKIPPED)
    if matches and compares and run(innocent)[1]:
        print('run', number, 'says nothing: it is so without the mistake')
    elif matches:
        print('found in run', number)
        sys.exit(0)
sys.exit(f'the mistake was not found in {RUNS} runs: none failed with {pattern}')
