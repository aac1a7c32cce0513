#!/usr/bin/env python3
"""Plants small mistakes, one at a time, and sees if the tests notice.

    mutate.py DIRECTORY [FILE...] [--count N] [--seed S] [--jobs J]

FILE is a source of proto/ or of the server's storage core, the begin of some
("server/journal"), or "all"; mutants are drawn from all that are named. The
sources are copied into DIRECTORY, and built there: a mutant is one changed line
of one file, which alone is compiled, and linked in front of the libraries with
the tests of TESTS one by one until one fails. Those that no test notices are
listed, but for those that survivors.txt explains. At the end, also of a run
that is interrupted, stands one line of JSON. In it, hung are those that a test
has noticed by coming to no end.

A mutant that compiles to the same code is none, nor is one that is not C.
"""

import argparse
import contextlib
import json
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
SURVIVORS = Path(__file__).resolve().parent / "survivors.txt"
MEMORY = Path("/dev/shm")

# Which tests know a file best, by how its name begins; the first is chosen.
# Those without a directory are in one list of tests/meson.build.
TESTS = (
    ("proto/msg", ("msg", "msg_more", "msg_named", "msg_effects",
                   "msg_limits", "vectors")),
    ("proto/event", ("event", "msg", "msg_limits", "vectors")),
    ("proto/name", ("name", "name_runs", "msg_limits", "query")),
    ("proto/opcode", ("protocol", "vectors", "msg")),
    ("proto/slice", ("buf", "pack")),
    ("proto/hash", ("msg", "vectors")),
    ("proto/", ("{stem}", "pack", "msg", "vectors")),
    ("server/journal_cursor", ("journal_cursor", "backup/archive")),
    ("server/journal", ("journal", "journal_damage", "journal_wipe",
                        "database", "erase")),
    ("server/segment", ("journal", "journal_damage", "old", "fault/golden",
                        "database")),
    ("server/store_dump", ("store_dump", "backup/archive")),
    ("server/store_load", ("store_dump", "backup/archive")),
    ("server/store_rewrite", ("sweep", "store", "erase", "verify")),
    ("server/store_scrub", ("sweep", "erase", "erase_rows")),
    ("server/store_slim", ("store_slim",)),
    ("server/store_read", ("store", "store_failing", "store_slim", "reader")),
    ("server/store", ("store", "store_failing", "store_slim", "row_values",
                      "old", "fault/golden", "rows", "reader", "database",
                      "erase_rows", "verify", "verify_apart")),
    ("server/postings", ("postings", "list_cursor", "store", "model")),
    ("server/record", ("retention", "block", "store", "erase", "sweep",
                       "model")),
    ("server/block", ("block", "journal_damage", "store")),
    ("server/queue", ("queue", "writer", "database")),
    ("server/writer", ("writer", "database", "decisions", "model")),
    ("server/commit", ("writer", "database", "decisions", "model")),
    ("server/round", ("round",)),
    ("server/reader_shared", ("reader", "sight")),
    ("server/places", ("places", "store")),
    ("server/recover", ("recover", "store", "old", "fault/golden", "rows",
                        "erase", "writer", "database")),
    ("server/memtable", ("memtable", "tail", "list_cursor", "store", "reader",
                         "writer")),
    ("server/tail", ("tail", "reader", "writer")),
    ("server/list", ("list_cursor", "search", "condition", "reader")),
    ("server/judge", ("condition", "decide", "decisions", "model")),
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
    """A copy of the sources without a mistake, and a build of it."""

    def __init__(self, directory):
        self.source = Path(directory).resolve() / "source"
        self.build = Path(directory).resolve() / "build"
        self.lock = threading.Lock() # Guards the build and what is below.
        self.seconds = {}            # What a test takes without a mistake.
        self.commands = {}
        self.copy()
        if not (self.build / "build.ninja").exists():
            self.make("meson", "setup", self.build, self.source,
                      "-Dwerror=false", "-Doptimization=1", "-Ddebug=false")

    def copy(self):
        """The same bytes keep their time, so that nothing is built anew."""
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=SOURCE, check=True, text=True,
            stdout=subprocess.PIPE).stdout.split("\0")
        for name in filter(None, listed):
            source, target = SOURCE / name, self.source / name
            if source.exists() and (
                    not target.exists()
                    or target.read_bytes() != source.read_bytes()):
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)

    @staticmethod
    def make(*command):
        if subprocess.run([str(part) for part in command], check=False,
                          stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode != 0:
            sys.exit(f"failed: {' '.join(map(str, command))}")

    def command(self, target):
        """How the build makes it."""
        with self.lock:
            if target not in self.commands:
                told = subprocess.run(
                    ["ninja", "-C", self.build, "-t", "commands", "-s", target],
                    check=True, text=True, stdout=subprocess.PIPE).stdout
                self.commands[target] = shlex.split(told.splitlines()[-1])
            return list(self.commands[target])

    def check(self, tests):
        """Without a mistake they can be built, and pass: else they would notice
        nothing, or everything.
        """
        with self.lock:
            new = [test for test in tests if test not in self.seconds]
            if new:
                self.make("ninja", "-C", self.build, *map(program_of, new))
            for test in new:
                begun = time.monotonic()
                if run_test(self.build / program_of(test), None) != "passed":
                    sys.exit(f"test_{test} fails without a mistake")
                self.seconds[test] = time.monotonic() - begun


def run_test(program, limit_seconds):
    """"passed", "failed" (at the first that does) or "hung"."""
    environment = {**os.environ, "ACTA_TEST_SHORT": "1",
                   "CK_DEFAULT_TIMEOUT": "600", "CK_VERBOSITY": "silent",
                   "CK_TAP_LOG_FILE_NAME": "-"}
    if MEMORY.is_dir():
        environment["TMPDIR"] = str(MEMORY)
    late = threading.Event()
    failed = False
    # In a session of its own: what it has forked must end with it, in whichever
    # group.
    with subprocess.Popen([program], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, env=environment,
                          start_new_session=True) as process:
        def stop():
            late.set()
            end_session(process.pid)
        timer = threading.Timer(limit_seconds or 600, stop)
        timer.start()
        try:
            failed = any(line.startswith(b"not ok") for line in process.stdout)
        finally:
            if failed:
                end_session(process.pid)
            status = process.wait()
            timer.cancel()
            end_session(process.pid)
    if late.is_set():
        return "hung"
    return "failed" if failed or status != 0 else "passed"


class Bench:
    """A place beside the workshop, to make one mutant after the other."""

    def __init__(self, workshop, number):
        self.workshop = workshop
        self.directory = workshop.build.parent / f"bench{number}"
        self.wholes = {}

    def compile(self, name, text):
        """The bytes of its object, or None if that is not C."""
        stem = Path(name).stem
        target = next(str(path.relative_to(self.workshop.build))
                      for path in self.workshop.build.rglob(f"{stem}.c.o")
                      if path.parent.parent.name == name.partition("/")[0])
        source = self.directory / name
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(text, encoding="utf-8")
        command = self.workshop.command(target)
        command[-1] = str(source)
        command[command.index("-o") + 1] = str(self.object)
        command[command.index("-MF") + 1] = os.devnull
        made = subprocess.run(command, cwd=self.workshop.build, check=False,
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
        return self.object.read_bytes() if made.returncode == 0 else None

    @property
    def object(self):
        return self.directory / "mutant.o"

    def link(self, test):
        """What an object defines is not looked for in a library any more."""
        command = self.workshop.command(program_of(test))
        program = self.directory / "test"
        place = command.index("-o")
        command[place:place + 2] = ["-o", str(program), str(self.object)]
        subprocess.run(command, cwd=self.workshop.build, check=True,
                       stdout=subprocess.DEVNULL)
        return program

    def try_it(self, mutant):
        """"none", "noticed", "hung" or "survived"."""
        tests = tests_of(mutant.name)
        self.workshop.check(tests)
        text = (self.workshop.source / mutant.name).read_text(encoding="utf-8")
        if mutant.name not in self.wholes:
            self.wholes[mutant.name] = self.compile(mutant.name, text)
        lines = text.split("\n")
        lines[mutant.number - 1] = mutant.new
        made = self.compile(mutant.name, "\n".join(lines))
        if made is None or made == self.wholes[mutant.name]:
            return "none"
        for test in tests:
            limit_seconds = 20 + 5 * self.workshop.seconds[test]
            outcome = run_test(self.link(test), limit_seconds)
            if outcome != "passed":
                return "hung" if outcome == "hung" else "noticed"
        return "survived"


class Draw:
    """Hands out mutants in the order drawn, until enough were tried."""

    def __init__(self, mutants, count):
        self.mutants, self.count = iter(mutants), count
        self.known = explained()
        self.changed = threading.Condition() # Guards all that is here.
        self.trying = 0
        self.ended = False
        self.outcomes = {"none": 0, "noticed": 0, "hung": 0, "explained": 0,
                         "survived": 0}

    def tried(self):
        return sum(self.outcomes.values()) - self.outcomes["none"]

    def next(self):
        with self.changed:
            while not self.ended and self.tried() < self.count <= (
                    self.tried() + self.trying):
                self.changed.wait()
            mutant = None
            if not self.ended and self.tried() < self.count:
                mutant = next(self.mutants, None)
            if mutant is not None:
                self.trying += 1
            return mutant

    def tell(self, mutant, outcome):
        with self.changed:
            if outcome == "survived" and mutant.key() in self.known:
                outcome = "explained"
            self.outcomes[outcome] += 1
            self.trying -= 1
            self.changed.notify_all()
            if outcome in ("survived", "hung"):
                print(f"{outcome}: {mutant}", flush=True)

    def end(self):
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def work(self, bench):
        try:
            while (mutant := self.next()) is not None:
                self.tell(mutant, bench.try_it(mutant))
        finally:
            self.end() # One that cannot go on stops all.


def explained():
    """Lines of survivors.txt: file | line | what | why."""
    keys = set()
    for line in SURVIVORS.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, rest = line.split(" | ", 1)
            old, what, _ = rest.rsplit(" | ", 2) # A line of C may have some.
            keys.add((name.strip(), old.strip(), what.strip()))
    return keys


def interrupted(*_):
    raise KeyboardInterrupt


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory")
    parser.add_argument("files", nargs="*", default=["all"])
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=random.getrandbits(32))
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    print(f"ACTA_SEED={options.seed}", flush=True)
    names = [name for name in files_of_core() if "all" in options.files
             or any(name.startswith(begin) for begin in options.files)]
    mutants = [mutant for name in names for mutant in mutants_of(name)]
    random.Random(options.seed).shuffle(mutants)
    workshop = Workshop(options.directory)
    draw = Draw(mutants, options.count)
    signal.signal(signal.SIGTERM, interrupted)
    with ThreadPoolExecutor(options.jobs) as threads:
        try:
            for working in [threads.submit(draw.work, Bench(workshop, number))
                            for number in range(options.jobs)]:
                working.result()
        except KeyboardInterrupt:
            draw.end() # What was found so far is worth telling.
    print(json.dumps({"seed": options.seed, "possible": len(mutants),
                      **draw.outcomes}))
    return 1 if draw.outcomes["survived"] else 0


if __name__ == "__main__":
    sys.exit(main())
