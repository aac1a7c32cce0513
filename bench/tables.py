"""What bench/consumers and bench/services have in common: run acta-bench a few
times, and print what is compared with what, and single figures.
"""

import argparse
import json
import subprocess
import sys
import tempfile


def number(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def arguments_of(run, quick):
    fixed, scaled = run
    for option, value in scaled.items():
        value = max(value // 10, 1) if quick else value
        unit = "ms" if option == "--duration" else ""
        fixed = fixed + [option, f"{value}{unit}"]
    return fixed


def measure(options, name, run, directory):
    arguments = [
        options.bench, *arguments_of(run, options.quick), "--json",
        "--dir", directory, "--runs", str(options.runs),
        *(["--actad", options.actad] if options.actad else []),
    ]
    done = subprocess.run(arguments, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"acta-bench {name}: failed")
    return json.loads(done.stdout)


def print_tables(figures, compared, single):
    """A row of compared: its text, the run, the figures of both sides, their
    unit, and the figure of the ratio, if that has a median of its own.
    """
    print("| compared | figures | unit | ratio |\n| --- | --- | --- | --- |")
    for text, run, left, right, unit, *told in compared:
        if run not in figures:
            continue
        left, right = figures[run][left], figures[run][right]
        ratio = figures[run][told[0]] if told else right and left / right
        ratio = f"{ratio:.3g}" if ratio else ""
        print(f"| {text} | {number(left)}, {number(right)} | {unit} "
              f"| {ratio} |")
    print("\n| measured | figure | unit |\n| --- | --- | --- |")
    for text, run, figure, unit in single:
        if run in figures:
            print(f"| {text} | {number(figures[run][figure])} | {unit} |")


def main(description, runs, compared, single):
    """Of each run its name, its arguments, and what of them is less with
    --quick.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", action="append", choices=runs)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--dir", default=tempfile.gettempdir())
    parser.add_argument("--json")
    parser.add_argument("--actad")
    parser.add_argument("bench", nargs="?", default="build/gcc/bench/acta-bench")
    options = parser.parse_args()

    said = {}
    with tempfile.TemporaryDirectory(dir=options.dir) as directory:
        for name in options.only or runs:
            said[name] = measure(options, name, runs[name], directory)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(said, file, indent=1)
    print_tables({name: run["median"] for name, run in said.items()},
                 compared, single)
