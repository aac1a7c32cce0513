#!/usr/bin/env python3
"""Plants small mistakes, one at a time, and sees if the tests notice.

    mutate.py DIRECTORY [FILE] [--count N] [--seed S]

FILE is a source of proto/ or of the server's storage core; without one they are
drawn from all of those. The sources are copied into DIRECTORY, and built there:
a mutant is one changed line of one file, with which the tests of TESTS are run
until one fails. Those that no test notices are listed, but for those that
survivors.txt explains. At the end, also of a run that is interrupted, stands one
line of JSON.

A mutant that compiles to the same code is none, nor is one that is not C.
"""

import argparse
import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
SURVIVORS = Path(__file__).resolve().parent / "survivors.txt"
TEST_SECONDS = 120

# Which tests know a file best, by how its name begins; the first is chosen.
# Those without a directory are in one list of tests/meson.build.
TESTS = (
    ("proto/msg", ("msg", "msg_more", "msg_named", "msg_effects",
                   "msg_limits", "vectors")),
    ("proto/event", ("event", "msg", "vectors")),
    ("proto/name", ("name", "name_runs", "msg_limits", "query")),
    ("proto/opcode", ("protocol", "vectors", "msg")),
    ("proto/slice", ("buf", "pack")),
    ("proto/span", ("pack", "msg", "vectors")),
    ("proto/hash", ("msg", "vectors")),
    ("proto/", ("{stem}", "pack", "msg", "vectors")),
    ("server/journal_cursor", ("journal_cursor", "backup/archive")),
    ("server/journal", ("journal", "journal_damage", "journal_wipe",
                        "database", "erase")),
    ("server/segment", ("journal", "journal_damage", "old", "database")),
    ("server/store_dump", ("store_dump", "backup/archive")),
    ("server/store_load", ("store_dump", "backup/archive")),
    ("server/store_rewrite", ("sweep", "store", "erase", "verify")),
    ("server/store_scrub", ("sweep", "erase", "erase_rows")),
    ("server/store_slim", ("store_slim",)),
    ("server/store_read", ("store", "store_failing", "store_slim", "reader")),
    ("server/store", ("store", "store_failing", "rows", "reader", "database",
                      "erase_rows", "verify", "verify_apart")),
    ("server/postings", ("postings", "list_cursor", "store", "model")),
    ("server/record", ("block", "store", "erase", "sweep", "model")),
    ("server/block", ("block", "journal_damage", "store")),
    ("server/queue", ("queue", "writer", "database")),
    ("server/writer", ("writer", "database", "decisions", "model")),
    ("server/commit", ("writer", "database", "decisions", "model")),
    ("server/round", ("round",)),
    ("server/reader_shared", ("reader", "sight")),
    ("server/places", ("places", "store")),
    ("server/decide", ("decide", "decisions", "effects", "lease_decisions",
                       "model", "retention", "database")),
)


def files_of_core():
    return [name for name in (str(path.relative_to(SOURCE)) for path in sorted(
        [*SOURCE.glob("proto/*.c"), *SOURCE.glob("server/*.c")]))
            if tests_of(name)]


def tests_of(name):
    for begin, tests in TESTS:
        if name.startswith(begin):
            return [test.format(stem=Path(name).stem) for test in tests]
    return []


def program_of(test):
    directory, _, name = test.rpartition("/")
    return os.path.join("tests", directory, f"test_{name}")


# ---- what can be mistaken ----

def blank(text):
    """The text without comments, strings and characters, all else in place."""
    def spaces(match):
        return re.sub(r"[^\n]", " ", match.group())
    return re.sub(r"/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'",
                  spaces, text, flags=re.DOTALL)


SWAPS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==",
         "&&": "||", "||": "&&", "+=": "-=", "-=": "+=", "+": "-", "-": "+"}
OPERATOR = re.compile(r"(?<= )(<=|>=|==|!=|&&|\|\||\+=|-=|<|>|\+|-)(?= )")
NUMBER = re.compile(r"(?<![\w.])(\d+)(?![\w.])")
TRUTH = re.compile(r"\b(true|false)\b")
CONDITION = re.compile(r"\b(?:if|while) \((.*)\) \{$")
STATEMENT = re.compile(
    r"^ +(?!return|break|continue|goto|case|default|else|do\b|struct|enum|const|"
    r"static|uint|size_t|bool|int|char|unsigned|void|MDB_|uint8_t)"
    r"[\w>.\[\]*()-]+(?: [-+|&]?= .*|\(.*\)|\+\+|--);$")
JUMP = re.compile(r"^ +(break|continue);$")


def mutants_of_line(code, text):
    """(what, line) for each mistake that can be made in a line."""
    if not code.startswith("    ") or "assert(" in code or "#" in code:
        return
    for match in OPERATOR.finditer(code):
        other = SWAPS[match.group(1)]
        yield (f"{match.group(1)} becomes {other}",
               text[:match.start(1)] + other + text[match.end(1):])
    for match in NUMBER.finditer(code):
        other = str(int(match.group(1)) + 1)
        yield (f"{match.group(1)} becomes {other}",
               text[:match.start(1)] + other + text[match.end(1):])
    for match in TRUTH.finditer(code):
        other = "false" if match.group(1) == "true" else "true"
        yield (f"{match.group(1)} becomes {other}",
               text[:match.start(1)] + other + text[match.end(1):])
    match = CONDITION.search(code)
    if match and code.count("(") == code.count(")"):
        yield ("the condition is negated",
               f"{text[:match.start(1)]}!({text[match.start(1):match.end(1)]})"
               f"{text[match.end(1):]}")
    if STATEMENT.match(code) or JUMP.match(code):
        yield "the statement is left out", "    ;"


class Mutant:
    def __init__(self, name, number, what, old, new):
        self.name, self.number, self.what = name, number, what
        self.old, self.new = old, new

    def key(self):
        return self.name, self.old.strip(), self.what

    def __str__(self):
        return f"{self.name}:{self.number}: {self.what}: {self.old.strip()}"


def mutants_of(name):
    text = (SOURCE / name).read_text(encoding="utf-8")
    lines = text.split("\n")
    for number, code in enumerate(blank(text).split("\n"), 1):
        for what, new in mutants_of_line(code.rstrip(), lines[number - 1]):
            yield Mutant(name, number, what, lines[number - 1], new)


# ---- trying them ----

def end_session(session):
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text(encoding="utf-8").rpartition(")")[2].split()
            if int(fields[3]) == session:
                os.kill(int(path.parent.name), signal.SIGKILL)


class Workshop:
    """A copy of the sources, and a build of it."""

    def __init__(self, directory):
        self.source = Path(directory) / "source"
        self.build = Path(directory) / "build"
        self.checked = set()
        self.copy()
        if not (self.build / "build.ninja").exists():
            self.run("meson", "setup", self.build, self.source,
                     "-Dwerror=false", "-Doptimization=1", "-Ddebug=false")

    def copy(self):
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=SOURCE, check=True, text=True,
            stdout=subprocess.PIPE).stdout.split("\0")
        for name in filter(None, listed):
            self.restore(name)

    def restore(self, name):
        """The same bytes keep their time, so that nothing is built anew."""
        source, target = SOURCE / name, self.source / name
        if not source.exists():
            return
        if not target.exists() or target.read_bytes() != source.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)

    @staticmethod
    def run(*arguments, **options):
        return subprocess.run([str(part) for part in arguments],
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False,
                              **options).returncode == 0

    def make(self, *targets):
        return self.run("ninja", "-C", self.build, *targets)

    def objects(self, name):
        found = sorted(self.build.rglob(f"{Path(name).name}.o"))
        return [path.read_bytes() for path in found
                if path.parent.parent.name == name.split("/", maxsplit=1)[0]]

    def targets_of(self, name):
        return [str(path.relative_to(self.build))
                for path in self.build.rglob(f"{Path(name).name}.o")
                if path.parent.parent.name == name.split("/", maxsplit=1)[0]]

    def is_noticed_by(self, test):
        environment = {**os.environ, "CK_DEFAULT_TIMEOUT": "60",
                       "ACTA_TEST_SHORT": "1"}
        # In a session of its own: what it has forked must end with it, in
        # whichever group.
        with subprocess.Popen([self.build / program_of(test)],
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, env=environment,
                              start_new_session=True) as process:
            try:
                return process.wait(timeout=TEST_SECONDS) != 0
            except subprocess.TimeoutExpired:
                return True
            finally:
                end_session(process.pid)

    def check_tests(self, name, tests):
        """Without a mistake they can be built, and pass: else they would notice
        nothing, or everything. Once for each file.
        """
        if not self.make(*map(program_of, tests)):
            sys.exit(f"{name}: its tests cannot be built: {' '.join(tests)}")
        if name in self.checked:
            return
        self.checked.add(name)
        for test in tests:
            if self.is_noticed_by(test):
                sys.exit(f"{name}: test_{test} fails without a mistake")

    def try_it(self, mutant):
        """"none", "noticed" or "survived"."""
        tests = tests_of(mutant.name)
        self.check_tests(mutant.name, tests)
        whole = self.objects(mutant.name)
        path = self.source / mutant.name
        lines = path.read_text(encoding="utf-8").split("\n")
        lines[mutant.number - 1] = mutant.new
        path.write_text("\n".join(lines), encoding="utf-8")
        try:
            if not self.make(*self.targets_of(mutant.name)):
                return "none"
            if self.objects(mutant.name) == whole:
                return "none"
            for test in tests:
                if not self.make(program_of(test)):
                    return "none"
                if self.is_noticed_by(test):
                    return "noticed"
            return "survived"
        finally:
            self.restore(mutant.name)


def explained():
    """Lines of survivors.txt: file | line | what | why."""
    keys = set()
    for line in SURVIVORS.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, old, what, _ = (part.strip() for part in line.split(" | "))
            keys.add((name, old, what))
    return keys


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory")
    parser.add_argument("file", nargs="?", default="all")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=random.getrandbits(32))
    options = parser.parse_args()
    print(f"ACTA_SEED={options.seed}", flush=True)
    names = files_of_core() if options.file == "all" else [options.file]
    known = explained()
    mutants = [mutant for name in names for mutant in mutants_of(name)]
    random.Random(options.seed).shuffle(mutants)
    workshop = Workshop(options.directory)
    outcomes = {"none": 0, "noticed": 0, "explained": 0, "survived": 0}
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        for mutant in mutants:
            if sum(outcomes.values()) - outcomes["none"] == options.count:
                break
            outcome = workshop.try_it(mutant)
            if outcome == "survived" and mutant.key() in known:
                outcome = "explained"
            outcomes[outcome] += 1
            if outcome == "survived":
                print(f"survived: {mutant}", flush=True)
    except KeyboardInterrupt:
        pass # What was found so far is worth telling.
    print(json.dumps({"seed": options.seed, "possible": len(mutants),
                      **outcomes}))
    return 1 if outcomes["survived"] else 0


if __name__ == "__main__":
    sys.exit(main())
