#!/usr/bin/env python3
"""What came of all tests: last what failed, so that a log of which only the end
is kept shows it, and a line with the sums.

usage: report.py [--long] DIRECTORY

DIRECTORY has for every run NAME.json, as `meson test` logs it, NAME.status, with
what it exited with, and NAME.wanted, with the names of tests that must be among
them. Fails unless all was well, and something was run in each. With --long, seeds and
counts in JSON are told as well.
"""

import collections
import json
import pathlib
import re
import sys

GOOD = {'OK': 'passed', 'EXPECTEDFAIL': 'passed', 'SKIP': 'skipped'}
LINES_SHOWN = 40
SLOWEST_SHOWN = 8


class Run:
    """One run of tests: NAME.json, NAME.status and NAME.wanted."""

    def __init__(self, status):
        self.name = status.stem
        self.status = int(status.read_text())
        log = status.with_suffix('.json')
        lines = log.read_text().splitlines() if log.exists() else []
        self.tests = [json.loads(line) for line in lines]
        self.counts = collections.Counter(came_of(t) for t in self.tests)
        self.seconds = took(self.tests)
        wanted = status.with_suffix('.wanted').read_text().split()
        ran = {short(test) for test in self.tests}
        self.missing = [name for name in wanted if name not in ran]
        # One that ends badly never counts as good, whatever its log says; nor
        # one of which nothing came, or not all: meson ends with 0 where it
        # knows no test of a name.
        if (self.status != 0 or self.missing or not self.tests) and (
                self.counts['failed'] == 0):
            self.counts['failed'] = 1


def came_of(test):
    return GOOD.get(test['result'], 'failed')


def took(tests):
    if not tests:
        return 0
    begin = min(t['starttime'] for t in tests)
    return max(t['starttime'] + t['duration'] for t in tests) - begin


def short(test):
    """'acta:unit+threads / queue' is queue."""
    return test['name'].split(' / ')[-1]


def tell_seeds(runs):
    for run in runs:
        for test in run.tests:
            seeds = re.findall(r'ACTA_SEED=(\d+)', test.get('stdout', ''))
            if seeds:
                print(f'seeds of {short(test)}, {run.name}: {" ".join(seeds)}')


def tell_times(runs):
    for run in runs:
        slowest = sorted(run.tests, key=lambda t: -t['duration'])
        named = (f'{short(t)} {t["duration"]:.0f}'
                 for t in slowest[:SLOWEST_SHOWN])
        print(f'{run.name}: {len(run.tests)} tests in {run.seconds:.0f} s; '
              f'longest: {", ".join(named)}')


def last_words(test):
    said = (test.get('stdout', '') + test.get('stderr', '')).splitlines()
    return said[-1] if said else 'without a word'


def tell_skipped(runs):
    for run in runs:
        for test in run.tests:
            if came_of(test) == 'skipped':
                print(f'skipped: {short(test)} ({run.name}): '
                      f'{last_words(test)}')


def tell_failed(runs):
    for run in runs:
        failed = [t for t in run.tests if came_of(t) == 'failed']
        for test in failed:
            said = (test.get('stdout', '') + test.get('stderr', '')).splitlines()
            print(f'==== {test["result"]}: {short(test)}, {run.name}, '
                  f'after {test["duration"]:.0f} s')
            if len(said) > LINES_SHOWN:
                print(f'     ({len(said) - LINES_SHOWN} lines before these)')
            print('\n'.join(said[-LINES_SHOWN:]))
        if run.status != 0 and not failed:
            print(f'==== {run.name}: meson test exited with {run.status}')
        for name in run.missing:
            print(f'==== {run.name}: {name} was not run')
        if not run.tests:
            print(f'==== {run.name}: nothing was run')


def tell_sums(runs, in_json):
    total = sum((run.counts for run in runs), collections.Counter())
    if in_json:
        print(json.dumps({
            'passed': total['passed'],
            'failed': total['failed'],
            'skipped': total['skipped'],
            'runs': {run.name: {'seconds': round(run.seconds), **run.counts}
                     for run in runs},
        }))
    print(f'{total["passed"]} passed, {total["failed"]} failed, '
          f'{total["skipped"]} skipped')
    return total


def main():
    *options, directory = sys.argv[1:]
    is_long = options == ['--long']
    statuses = sorted(pathlib.Path(directory).glob('*.status'),
                      key=lambda path: path.stat().st_mtime_ns)
    runs = [Run(status) for status in statuses]

    if is_long:
        tell_seeds(runs)
    tell_times(runs)
    tell_skipped(runs)
    tell_failed(runs)
    total = tell_sums(runs, is_long)
    return 0 if total['failed'] == 0 and total['passed'] > 0 else 1


sys.exit(main())
