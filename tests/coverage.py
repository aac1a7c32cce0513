#!/usr/bin/env python3
"""Tells which branches the tests do not take.

    coverage.py BUILD [FILE...]

BUILD was made with -Db_coverage=true, and its tests have been run. Without
files it is about proto/ and the server's storage core. A line for each file
says how many of its lines and branches were reached; below that are the
branches that were not, with their source: "never" if the line was not reached,
else how many of its branches were not taken. Branches of assertions are not
counted, nor is the one of a switch for none of its cases, which name all values
there are, nor those of lines in whose place a comment says why no test can take
them: "Not tested: ...", at the end of the line or on the one before.
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
    notes = [str(path) for path in Path(build).resolve().rglob("*.gcda")]
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


def is_left_out(texts, number):
    """True for an assertion, and for what a comment argues about."""
    here = texts[number - 1]
    before = texts[number - 2] if number > 1 else ""
    return ("assert(" in here or ARGUED in here or
            (ARGUED in before and before.lstrip().startswith(("/*", "*"))))


def tell(path, lines):
    texts = path.read_text(encoding="utf-8").splitlines()
    reached = branches = taken = 0
    missing = []
    for number, (count, counts) in sorted(lines.items()):
        reached += count > 0
        if is_left_out(texts, number):
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
    return taken, branches


def main():
    build = sys.argv[1]
    files = [Path(name).resolve() for name in sys.argv[2:]] or default_files()
    found = read_gcov(build)
    taken = branches = 0
    for path in files:
        if path not in found:
            print(f"{path.relative_to(SOURCE)}: no test reaches it")
            continue
        one, all_of_it = tell(path, found[path])
        taken += one
        branches += all_of_it
    print(json.dumps({"files": len(files), "branches": branches,
                      "taken": taken}))


if __name__ == "__main__":
    main()
