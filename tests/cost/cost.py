#!/usr/bin/env python3
"""Counts the instructions of the hot paths, and compares them with the figures
in the repository.

usage: cost.py [--renew] PROGRAM FIGURES COMPILER

PROGRAM runs the paths (cost.c), FIGURES is costs.txt. COMPILER says what made
PROGRAM: another one makes other code, so its counts are shown, not judged.
Fails if a path takes over a tenth more than the figure, and if it takes over a
tenth less: then it could lose as much again, and nobody would notice, or does
not do any more what it did. --renew writes the figures anew.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

SKIPPED = 77
MARGIN = 0.10

# How the C library copies much depends on the processor: by an instruction that
# is counted for every byte, or by some for each 128. Let it always be these.
TUNABLES = ('glibc.cpu.x86_rep_movsb_threshold=1000000000:'
            'glibc.cpu.x86_rep_stosb_threshold=1000000000')


def count(program):
    """Instructions each time, by path, in the order in which they are run."""
    # meson has malloc() fill memory with some byte, which would count, too.
    environment = {name: value for name, value in os.environ.items()
                   if name != 'MALLOC_PERTURB_'}
    with tempfile.TemporaryDirectory() as place:
        out = pathlib.Path(place, 'out')
        run = subprocess.run(
            ['valgrind', '--tool=callgrind', '--collect-atstart=no',
             f'--callgrind-out-file={out}', program],
            env={**environment, 'CK_FORK': 'no', 'GLIBC_TUNABLES': TUNABLES},
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        if run.returncode != 0:
            sys.exit(f'{program} failed:\n{run.stderr}')
        dumps = sorted(pathlib.Path(place).glob('out.*'),
                       key=lambda path: int(path.suffix[1:]))
        return dict(read_dump(dump.read_text()) for dump in dumps)


def read_dump(text):
    path, times = re.search(
        r'^desc: Trigger: Client Request: (\S+) (\d+)$', text, re.M).groups()
    total = re.search(r'^(?:totals|summary): (\d+)', text, re.M)[1]
    return path, int(total) / int(times)


def read_figures(path):
    """The compiler, and instructions by path."""
    lines = path.read_text().splitlines() if path.exists() else []
    compiler = next((line[2:] for line in lines if line.startswith('# gcc')),
                    None)
    rows = [line.split() for line in lines if line and line[0] != '#']
    return compiler, {name: float(figure) for name, figure in rows}


def write_figures(path, compiler, counts):
    lines = ['# Instructions each time: see cost.h. ./dev costs --renew',
             f'# {compiler}']
    lines += [f'{name} {figure:.0f}' for name, figure in counts.items()]
    path.write_text('\n'.join(lines) + '\n')


def compare(figures, counts):
    """What is wrong, in lines."""
    wrong = [f'{name} is not run any more' for name in figures
             if name not in counts]
    for name, now in counts.items():
        before = figures.get(name)
        ratio = now / before if before else 0
        print(f'{name:24} {now:10.0f} instructions, {ratio:5.2f} of the figure')
        if before is None:
            wrong.append(f'{name} has no figure')
        elif abs(ratio - 1) > MARGIN:
            wrong.append(f'{name} takes {now:.0f} instructions, {ratio:.2f} '
                         f'times the figure {before:.0f}')
    return wrong


def main():
    arguments = sys.argv[1:]
    renew = '--renew' in arguments
    if renew:
        arguments.remove('--renew')
    program, figures_path, compiler = arguments
    figures_path = pathlib.Path(figures_path)

    counts = count(program)
    if renew:
        write_figures(figures_path, compiler, counts)
        return 0
    made_by, figures = read_figures(figures_path)
    wrong = compare(figures, counts)
    if made_by != compiler:
        print(f'skipped: the figures are of {made_by}, this is {compiler}')
        return SKIPPED
    for line in wrong:
        print(line, file=sys.stderr)
    if wrong:
        print('If that is meant: ./dev costs --renew', file=sys.stderr)
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
