#!/usr/bin/env python3
"""Tells which branches the tests do not take.

    coverage.py BUILD [FILE...]

BUILD was made with -Db_coverage=true and -fprofile-update=atomic (threads would
else count past each other), and its tests have been run. Without files it is
about proto/ and the server's storage core. A line for each file says how many
of its lines and branches were reached; below that are the branches that were
not, with their source: "never" if the line was not reached, else how many of
its branches were not taken. If there are any, the status is 1.

Branches of assertions are not counted, nor is the one of a switch for none of
its cases, which name all values there are, nor what a comment says why no test
can take it: "Not tested: ...", at the end of a line for that line, or before a
statement for all of it, with what is in its braces. Those that are taken all
the same are told: "tested after all".
"""

import gzip
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
CORE = ("journal", "segment", "store", "postings", "record", "block", "decide")
ARGUED = "Not tested:"


def default_files():
    return sorted(
        [*SOURCE.glob("proto/*.c"),
         *(path for path in SOURCE.glob("server/*.c")
           if path.stem.split("_")[0] in CORE)])


def read_gcov(build):
    """By source: {line: (count, [count of each branch])}, summed up over all
    programs that have it."""
    found = defaultdict(dict)
    notes = [str(path) for path in build.rglob("*.gcda")]
    with tempfile.TemporaryDirectory() as directory:
        for start in range(0, len(notes), 100):
            subprocess.run(["gcov", "--branch-probabilities", "--json-format",
                            "--preserve-paths", *notes[start:start + 100]],
                           cwd=directory, check=True,
                           stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
            for path in Path(directory).glob("*.gcov.json.gz"):
                with gzip.open(path, encoding="utf-8", mode="rt") as file:
                    add(found, json.load(file), build)
                path.unlink()
    return found


def add(found, report, build):
    for file in report["files"]:
        source = Path(os.path.normpath(
            os.path.join(report.get("current_working_directory", build),
                         file["file"])))
        lines = found[source]
        for line in file["lines"]:
            branches = [branch["count"] for branch in line["branches"]]
            count, known = lines.get(line["line_number"], (0, []))
            if len(known) == len(branches):
                branches = [one + other for one, other in zip(known, branches)]
            lines[line["line_number"]] = count + line["count"], branches


def indent_of(text):
    return len(text) - len(text.lstrip())


def argued(texts):
    """The lines that comments argue about: by each comment's line, the lines."""
    found = {}
    for number, text in enumerate(texts, 1):
        if ARGUED not in text:
            continue
        if not text.lstrip().startswith(("/*", "*")):
            found[number] = {number}
            continue
        first = number
        while "*/" not in texts[first - 1]:
            first += 1
        first += 1
        last = first
        while indent_of(texts[last]) > indent_of(texts[first - 1]):
            last += 1
        found[number] = set(range(first, last + 1))
    return found


def tell(path, lines):
    texts = path.read_text(encoding="utf-8").splitlines()
    reached = branches = taken = 0
    missing = []
    arguments = argued(texts)
    left_out = set().union(*arguments.values())
    for number, (count, counts) in sorted(lines.items()):
        reached += count > 0
        if number in left_out or "assert(" in texts[number - 1]:
            continue
        if "switch (" in texts[number - 1] and 0 in counts:
            counts = sorted(counts)[1:]
        branches += len(counts)
        taken += sum(one > 0 for one in counts)
        if count == 0:
            missing.append((number, "never"))
        elif 0 in counts:
            missing.append((number, f"{counts.count(0)} of {len(counts)}"))
    print(f"{path.relative_to(SOURCE)}: {reached} of {len(lines)} lines, "
          f"{taken} of {branches} branches"
          f"{f' ({100 * taken / branches:.1f} %)' if branches else ''}")
    for number, what in missing:
        print(f"    {number:4}: {what:8} {texts[number - 1].strip()}")
    for comment, about in arguments.items():
        if all(lines[number][0] > 0 and 0 not in lines[number][1]
               for number in about & lines.keys()):
            print(f"    {comment:4}: tested after all")
    return taken, branches, len(missing)


def main():
    build = Path(sys.argv[1]).resolve()
    files = [Path(name).resolve() for name in sys.argv[2:]] or default_files()
    found = read_gcov(build)
    taken = branches = missing = 0
    for path in files:
        if path not in found:
            print(f"{path.relative_to(SOURCE)}: no test reaches it")
            missing += 1
            continue
        one, all_of_it, lacking = tell(path, found[path])
        taken += one
        branches += all_of_it
        missing += lacking
    print(json.dumps({"files": len(files), "branches": branches,
                      "taken": taken}))
    sys.exit(1 if missing else 0)


if __name__ == "__main__":
    main()
