#!/usr/bin/env python3
"""Cuts the power of a whole machine while actad runs on it, and judges what is
left by what its clients were told.

    power.py BUILD [--cuts N] [--failing N] [--states N] [--fs ext4,xfs]
             [--seed N] [--keep]

Three rigs, each for each file system:

  cuts    a guest that is killed at any moment, booted again, and looked at; on
          one disk several times, so that recovery is cut as well. Backups are
          taken all the while, and what was the last one is restored
  failing the same with a disk that, before, fails all writes for a while: the
          server must end, and what it then knows nothing of must stay as the
          next start shows it
  states  a guest whose disk is logged by dm-log-writes: of the states that the
          disk went through, as many as asked for are brought back and looked at

and for each a control: the same with a server from which the syncs were left
out, which must be found out.

Ends with 0 if nothing was lost and all controls were found out, with 1 if not,
and with 77 where it cannot run: without Debian's user-mode-linux, or in a run of
all tests that is not the long one (ACTA_TEST_LONG=1).
"""

import argparse
import glob
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

import log_writes
import uml

HERE = os.path.dirname(os.path.abspath(__file__))
CHECK = os.path.join(HERE, "..", "check", "check.py")

SKIPPED = 77
SIZES = {"ext4": 320 << 20, "xfs": 320 << 20, "btrfs": 320 << 20}
LOG_SIZE = 2 << 30
SPARE_SIZE = 128 << 20
APPENDERS = 3
KEEPERS = 2
HOLDERS = 2
OPERATOR = "operator"
CUTS_A_DISK = 8
BOOT_S_MAX = 900 # A busy machine boots slowly.
LOAD_S_MAX = 600
STATE_S_MAX = 60
STATES_A_BOOT = 200
LINES_SHOWN = 20
ANSWERS = 1000
LIVES = 4
# What a server without syncs is found out by, in what problem() is told. All
# else, a guest that hangs or a checker that ends, has found nothing.
LOSSES = (
    "FAILED look", # It does not start on what is there.
    "does not start",
    "what is acknowledged is not lost:",
    "what was read stays so:",
    "were restored,",
)
CONTROL_CUTS = 3
CUTS_TO_RESTORE = 16 # Of so many some come after a backup, and it is restored.
CONTROL_STATES = 40


class Rig:
    """What all runs have in common: programs, a directory, random numbers."""

    DISK = "/mnt/disk"

    def __init__(self, build, kind, seed, directory, shim=""):
        self.program = os.path.join(build, "tests/power/power_guest")
        self.kind = kind
        self.random = random.Random(f"{kind} {seed}")
        self.directory = directory
        self.shim = shim
        self.bad = []
        os.makedirs(directory)

    def path(self, name):
        return os.path.join(self.directory, name)

    def make_file(self, name, size):
        path = self.path(name)
        with open(path, "wb") as file:
            file.truncate(size)
        return path

    def make_disk(self, name):
        path = self.make_file(name, SIZES[self.kind])
        subprocess.run([f"mkfs.{self.kind}", *QUIET[self.kind], path],
                       check=True, stdout=subprocess.DEVNULL)
        return path

    def run_guest(self, case, **settings):
        """Lines of shell that run one case of the guest's program."""
        given = {"CK_RUN_CASE": case, "CK_FORK": "no",
                 "ACTA_SEED": self.random.randrange(1, 1 << 62),
                 "POWER_DISK": self.DISK, "POWER_SHIM": self.shim,
                 **settings}
        words = " ".join(f"{name}={value}" for name, value in given.items())
        return f"env {words} {self.program}"

    def has_lost(self):
        """Whether one of the problems is what a control is to show."""
        return any(loss in text for text in self.bad for loss in LOSSES)

    def problem(self, text, lines=()):
        """@lines are what the guest has said. Of a control the first is
        enough."""
        self.bad.append(text)
        if not self.shim or len(self.bad) == 1:
            print("\n".join([f"{self.directory}: {text}",
                             *lines[-LINES_SHOWN:]]), flush=True)


QUIET = {"ext4": ["-q", "-F"], "xfs": ["-q", "-f"], "btrfs": ["-q", "-f"]}


def cut_last_line(path):
    """A line that was cut off was not told."""
    with open(path, "r+b") as file:
        file.truncate(file.read().rfind(b"\n") + 1)


def links_to(logs):
    """Lines of shell that make a terminal of each log."""
    return "".join(
        f"ln -s /dev/ttyS{number} /mnt/logs/{os.path.basename(path)}\n"
        for number, path in enumerate(logs, 1))


def judge(directory):
    """What the checker objects to, and its counts."""
    done = subprocess.run([sys.executable, "-B", CHECK, "--few", directory],
                          capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).splitlines()
    counts = next((json.loads(line) for line in lines if line.startswith("{")), {})
    texts = [line for line in lines if not line.startswith("{")]
    if done.returncode != 0 and not texts:
        texts = [f"the checker ended with {done.returncode}"]
    return texts, counts


def events_of(dump):
    """What was read, line by line as it was written down."""
    with open(dump, encoding="utf-8") as file:
        return [line for line in file if line.startswith('{"event"')]


# ---- cuts ----


class Cuts(Rig):
    """A disk in a machine whose power is cut, again and again."""

    DEVICE = "/dev/ubda"
    DISK = "/mnt/disk"  # What the server has for its disk.
    CASE = "load"
    BACKS_UP = True
    WORKERS = (0, 2) # So many members a group has, or there is none: beside it
                     # few backups come to an end.
    MOMENTS = (  # So many seconds at most after the guest has said so.
        ("mounted", 0.4),  # Before or in the midst of a start, or of recovery.
        ("looked", 0.6),   # At the end of one life, or the start of the next.
        ("answer", 1.5),
        ("answer", 0.3),
        ("answer", 3.0),
    )

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.disk = self.make_disk("disk")
        self.logs = self.path("logs")
        self.cuts = {}
        self.dumps = 0
        self.restored = 0  # How many events the last backup had.
        self.has_backup = False
        self.first = 1
        self.counts = {}
        self.restores = 0
        self.workers = self.random.choice(self.WORKERS)
        os.makedirs(self.logs)

    def before(self):
        """Lines of shell that make the device."""
        return ""

    def load_settings(self):
        return {"POWER_BACKS_UP": "yes"}

    def restore(self):
        """Lines of shell that look at the last backup, if there must be one."""
        if not self.has_backup:
            return ""
        restore = self.run_guest("restore", POWER_LOGS="/mnt/out")
        return f"""
            rm -rf /mnt/disk/restored
            {restore} || exec echo FAILED restore
            rm -r /mnt/disk/restored
            echo restored"""

    def task(self, ends, lists=""):
        """Look at what is there, and then either end or take a load."""
        number = self.dumps + 1
        look = self.run_guest("look", POWER_LOGS="/mnt/out",
                              POWER_DUMP=number, POWER_LISTS=lists)
        load = self.run_guest(self.CASE, POWER_LOGS="/mnt/logs",
                              POWER_FIRST=self.first,
                              POWER_KEEPERS=KEEPERS, POWER_HOLDERS=HOLDERS,
                              **self.group_settings(), **self.load_settings())
        return f"""{links_to(self.logs_of_boot())}{self.before()}
            ln -s {OPERATOR}-{self.first}.log /mnt/logs/{OPERATOR}.log
            mount -t hostfs none /mnt/out -o {self.logs}
            mount -t {self.kind} {self.DEVICE} /mnt/disk ||
                exec echo FAILED mount
            echo mounted
            {look} || exec echo FAILED look{self.restore()}
            echo looked
            {self.end() if ends else load + ' || echo FAILED load'}
        """

    def group_settings(self):
        return {"POWER_WORKERS": self.workers,
                "ACTA_TEST_TIME_US": time.monotonic_ns() // 1000}

    def end(self):
        """Lines of shell that let the group come to rest."""
        if self.workers == 0:
            return "umount /mnt/disk"
        settle = self.run_guest("settle", POWER_LOGS="/mnt/logs",
                                POWER_FIRST=self.first,
                                **self.group_settings())
        return f"""{settle} || echo FAILED settle
            umount /mnt/disk"""

    def join_operators(self):
        """The group has one log of who looks after it, which begins with what
        it is; each boot has said so again."""
        paths = glob.glob(f"{self.logs}/{OPERATOR}-*.log")
        paths.sort(key=lambda path: int(path.split("-")[-1].split(".")[0]))
        lines = []
        for path in paths:
            with open(path, encoding="utf-8") as file:
                said = file.readlines()
            lines += said[1:] if lines else said
        if lines:
            with open(f"{self.logs}/{OPERATOR}.log", "w",
                      encoding="utf-8") as file:
                file.writelines(lines)

    def logs_of_boot(self):
        names = [f"append-{self.first + i}.log" for i in range(APPENDERS)]
        names += [f"keeper-{self.first + i}.log" for i in range(KEEPERS)]
        names += [f"holder-{self.first + i}.log" for i in range(HOLDERS)]
        names += [f"worker-{self.first + i}.log" for i in range(self.workers)]
        names += [f"{OPERATOR}-{self.first}.log"] if self.workers else []
        return [os.path.join(self.logs, name) for name in names]

    def boot(self, ends, lists=""):
        logs = self.logs_of_boot()
        return uml.Guest(self.directory, self.task(ends, lists), [self.disk],
                         logs), logs

    def answers(self):
        """How much has been acknowledged, by what clients wrote down."""
        count = 0
        for path in glob.glob(f"{self.logs}/append-*.log"):
            with open(path, encoding="utf-8") as file:
                count += sum('"code":"OK"' in line for line in file)
        return count

    def end_of_boot(self, guest, logs):
        """Keep what was said, and was whole."""
        for log in logs:
            cut_last_line(log)
        self.first += APPENDERS
        if guest.has_said("looked"):
            self.dumps += 1
        else:
            for path in glob.glob(f"{self.logs}/dump-{self.dumps + 1}.log"):
                os.remove(path)
        self.has_backup |= guest.has_said("backed up")
        path = os.path.join(self.logs, "dump-0.log")
        if guest.has_said("restored") and guest.has_said("looked"):
            self.check_backup(path)
        if os.path.exists(path):
            os.remove(path)
        for line in guest.lines:
            if line.startswith("FAILED"):
                self.problem(f"cut {sum(self.cuts.values())}: {line}",
                             guest.lines)
                return False
        return True

    def check_backup(self, path):
        """What the last backup has is how all began, and no less than before.
        """
        backup = events_of(path)
        stored = events_of(os.path.join(self.logs, f"dump-{self.dumps}.log"))
        if backup != stored[:len(backup)] or len(backup) < self.restored:
            self.problem(f"{len(backup)} events were restored, {self.restored} "
                         f"the time before, and are not the first of "
                         f"{len(stored)}")
        self.restored = len(backup)
        self.restores += 1

    def cut_once(self, moments=None):
        word, after = self.random.choice(moments or self.MOMENTS)
        guest, logs = self.boot(ends=False)

        def has_come():
            return (len(guest.spoken) == len(logs) if word == "answer"
                    else guest.has_said(word))

        guest.wait_for(has_come, BOOT_S_MAX)
        came = has_come()
        if came:
            guest.wait_for(lambda: False, self.random.uniform(0, after))
            self.cuts[word] = self.cuts.get(word, 0) + 1
        guest.cut()
        good = self.end_of_boot(guest, logs)
        if good and not came:
            self.problem(f"cut {1 + sum(self.cuts.values())}: it never came to "
                         f"'{word}'", guest.lines)
        return good and came

    def finish(self):
        """Look once more, at all that there is, and judge."""
        guest, logs = self.boot(ends=True, lists="yes")
        if not guest.wait(BOOT_S_MAX):
            self.problem("it did not come to an end", guest.lines)
            return
        if not self.end_of_boot(guest, logs):
            return
        self.join_operators()
        problems, self.counts = judge(self.logs)
        for problem in problems:
            self.problem(problem)


class Failing(Cuts):
    """The same with a disk that fails all writes for a while: once in each life
    of the machine, after some answers. The file system may then refuse to be
    written to, until it is mounted again."""

    DEVICE = "/dev/mapper/failing"
    DISK = "/mnt/machine"  # All but the data is elsewhere.
    CASE = "failing"
    BACKS_UP = False
    WORKERS = (0,)
    MOMENTS = (
        ("broken", 0.3),
        ("mended", 0.3),
        ("mended", 1.5),
    )

    def before(self):
        table = "0 $(blockdev --getsz /dev/ubda) flakey /dev/ubda 0"
        switch = ("dmsetup suspend --nolockfs --noflush failing\n"
                  "dmsetup reload failing --table \"{}\"\n"
                  "dmsetup resume failing")
        return f"""
            modules dm-mod dm-flakey
            dmsetup create failing --table "{table} 600 0"
            mkdir /mnt/machine
            ln -s /mnt/disk /mnt/machine/data
            cat >/mnt/machine/break <<END
set -e
{switch.format(table + " 0 600 1 error_writes")}
END
            cat >/mnt/machine/mend <<END
set -e
{switch.format(table + " 600 0")}
END
            cat >/mnt/machine/remount <<END
umount /mnt/disk && mount -t {self.kind} {self.DEVICE} /mnt/disk
END
        """

    def load_settings(self):
        return {"POWER_ANSWERS": self.random.randrange(20, 200)}


# What a moment is called in the sums.
CUT_NAMES = {
    "mounted": "cut_in_start", "looked": "cut_between", "answer": "cut_in_load",
    "broken": "cut_after_failure", "mended": "cut_after_restart",
}


def run_cuts(rig, test, build, kind, seed, directory, count):
    """@rig is the class."""
    sums = {"test": test, "seed": seed, "fs": kind, "cuts": 0, "disks": 0,
            "acknowledged": 0, "unknown": 0, "moves": 0, "granted": 0, "handed": 0, "parked": 0,
            "events": 0,
            "restores": 0, "bad": 0}
    while sums["cuts"] < count:
        cuts = rig(build, kind, f"{seed} {sums['disks']}",
                   f"{directory}/disk-{sums['disks']}")
        goes_on = True
        for _ in range(min(CUTS_A_DISK, count - sums["cuts"])):
            goes_on = goes_on and cuts.cut_once()
        if goes_on:
            cuts.finish()
        sums["disks"] += 1
        for word, times in cuts.cuts.items():
            name = CUT_NAMES[word]
            sums[name] = sums.get(name, 0) + times
            sums["cuts"] += times
        for name in ("acknowledged", "unknown", "moves", "granted", "handed",
                     "parked", "events"):
            sums[name] += cuts.counts.get(name, 0)
        sums["restores"] += cuts.restores
        sums["bad"] += len(cuts.bad)
        if cuts.bad:
            break
        shutil.rmtree(cuts.directory)
    print(json.dumps(sums), flush=True)
    return sums["bad"] == 0 and has_happened(rig, sums)


def has_happened(rig, sums):
    """Whether there was anything that could have been lost."""
    wanted = ["acknowledged", "events"]
    if rig.BACKS_UP and sums["cuts"] >= CUTS_TO_RESTORE:
        wanted.append("restores")
    none = [name for name in wanted if sums[name] == 0]
    if none:
        print(f"{sums['test']}, {sums['fs']}: nothing was shown, without any "
              f"of {', '.join(none)}", flush=True)
    return not none


def control_cuts(rig, test, moments, build, kind, seed, directory):
    """Must be found out. The cuts are where much was acknowledged."""
    cuts = rig(build, kind, seed, directory,
               os.path.join(build, "tests/power/libunsynced.so"))
    for _ in range(CONTROL_CUTS):
        if not cuts.cut_once(moments):
            break
    if not cuts.bad:
        cuts.finish()
    print(json.dumps({"test": f"{test}, a server without syncs",
                      "seed": seed, "fs": kind,
                      "cuts": sum(cuts.cuts.values()),
                      "acknowledged": cuts.answers(),
                      "bad": len(cuts.bad)}), flush=True)
    return cuts.answers() > 0 and cuts.has_lost()


# ---- states ----


class States(Rig):
    """A disk, the log of what was done to it, and what clients were told."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.disk = self.make_disk("disk")
        self.log = self.make_file("log", LOG_SIZE)
        self.spare = self.make_file("spare", SPARE_SIZE)
        self.out = self.path("out")
        os.makedirs(self.out)
        self.histories = []
        self.looked = 0
        self.acknowledged = 0

    def record(self):
        """Let a server have several lives on the disk. False if it fails."""
        disk = self.path("recorded")
        shutil.copyfile(self.disk, disk)
        logs = [self.path(f"append-{1 + i}.log") for i in range(APPENDERS)]
        load = self.run_guest("load", POWER_LOGS="/mnt/logs", POWER_FIRST=1,
                              POWER_ANSWERS=ANSWERS, POWER_LIVES=LIVES,
                              POWER_MARK="logged")
        guest = uml.Guest(self.directory, f"""{links_to(logs)}
            modules dm-mod dm-log-writes
            dmsetup create logged --table \\
                "0 $(blockdev --getsz /dev/ubda) log-writes /dev/ubda /dev/ubdb"
            mount -t {self.kind} /dev/mapper/logged /mnt/disk
            {load} && echo loaded
            umount /mnt/disk
            dmsetup remove logged
            """, [disk, self.log], logs)
        if not guest.wait(LOAD_S_MAX) or not guest.has_said("loaded"):
            self.problem("nothing was recorded", guest.lines)
            return False
        os.remove(disk)
        for path in logs:
            cut_last_line(path)
            with open(path, encoding="utf-8") as file:
                self.histories.append(file.read().splitlines())
        self.entries = log_writes.Log(self.log).entries
        return True

    def choose(self, count):
        """Numbers of entries after which the disk is another than before: all,
        or some of them."""
        numbers = [number for number, entry in enumerate(self.entries, 1)
                   if entry.changes()]
        if count < len(numbers):
            numbers = sorted(self.random.sample(numbers, count))
        return numbers

    def look(self, numbers):
        """Have these states looked at, and judge each."""
        disk = self.path("replayed")
        for at in range(0, len(numbers), STATES_A_BOOT):
            part = numbers[at:at + STATES_A_BOOT]
            shutil.copyfile(self.disk, disk)
            words = " ".join(map(str, part))
            guest = uml.Guest(self.directory, f"""
                modules dm-mod dm-bufio dm-snapshot
                mount -t hostfs none /mnt/out -o {self.out}
                python3 -B {HERE}/states.py /dev/ubdb /dev/ubda /dev/ubdc \\
                    {self.kind} {self.program} /mnt/out {words}
                """, [disk, self.log, self.spare])
            ended = guest.wait(BOOT_S_MAX + STATE_S_MAX * len(part))
            for number in part:
                self.judge_state(number, guest.lines)
            if not ended:
                self.problem("it did not come to an end", guest.lines)

    def judge_state(self, number, lines):
        """What was told before the state came about must be in it; of all else
        nothing is known."""
        if f"state {number} ok" not in lines:
            what = ("it does not start" if f"state {number} FAILED" in lines
                    else "nobody has looked at it")
            self.problem(f"the state after {number} entries: {what}", lines)
            return
        directory = f"{self.out}/state-{number}"
        told = self.answers_before(number)
        for client, history in enumerate(self.histories, 1):
            with open(f"{directory}/append-{client}.log", "w",
                      encoding="utf-8") as file:
                answers = 0
                for line in history:
                    answers += line.startswith('{"answer"')
                    if line.startswith('{"append"') or \
                            answers <= told.get(client, 0):
                        print(line, file=file)
        problems, counts = judge(directory)
        for problem in problems:
            self.problem(f"the state after {number} entries: {problem}")
        self.looked += 1
        self.acknowledged += counts.get("acknowledged", 0)
        shutil.rmtree(directory)

    def answers_before(self, number):
        """How many answers each client had before the entry @number."""
        told = {}
        for entry in self.entries[:number]:
            if entry.mark is not None:
                client, answer = map(int, entry.mark.split("."))
                told[client] = max(answer, told.get(client, 0))
        return told


def run_states(build, kind, seed, directory, count, shim=""):
    """True if none was bad; or, with a @shim that leaves out syncs, if one has
    lost what it must have."""
    states = States(build, kind, seed, directory, shim)
    if not states.record():
        return False
    numbers = states.choose(count)
    states.look(numbers)
    marks = sum(entry.mark is not None for entry in states.entries)
    print(json.dumps({
        "test": "power states" + (", a server without syncs" if shim else ""),
        "seed": seed, "fs": kind, "entries": len(states.entries),
        "answers": marks, "states": len(numbers), "looked_at": states.looked,
        "acknowledged": states.acknowledged, "bad": len(states.bad)}), flush=True)
    if shim:
        return states.has_lost()
    if not states.bad:
        shutil.rmtree(directory)
    if states.acknowledged == 0 or not 0 < states.looked == len(numbers):
        print(f"power states, {kind}: nothing was shown", flush=True)
        return False
    return not states.bad


# ---- all of it ----


def missing(kinds):
    """A program that is not there, or None."""
    makers = [f"mkfs.{kind}" for kind in kinds]
    for program in (uml.PROGRAM, "busybox", "dmsetup", *makers):
        if shutil.which(program) is None:
            return program
    return None


def run_all(arguments, directory):
    good = True
    for kind in arguments.fs.split(","):
        place = os.path.join(directory, kind)
        if arguments.cuts > 0:
            good &= control_cuts(Cuts, "power cuts", [("answer", 2.0)],
                                 arguments.build, kind, arguments.seed,
                                 f"{place}-control-cuts")
            good &= run_cuts(Cuts, "power cuts", arguments.build, kind,
                             arguments.seed, f"{place}-cuts", arguments.cuts)
        if arguments.failing > 0:
            good &= control_cuts(Failing, "power cuts after failed writes",
                                 [("broken", 5.0)], arguments.build, kind,
                                 arguments.seed, f"{place}-control-failing")
            good &= run_cuts(Failing, "power cuts after failed writes",
                             arguments.build, kind, arguments.seed,
                             f"{place}-failing", arguments.failing)
        if arguments.states > 0:
            shim = os.path.join(arguments.build,
                                "tests/power/libunsynced.so")
            good &= run_states(arguments.build, kind, arguments.seed,
                               f"{place}-control-states", CONTROL_STATES, shim)
            good &= run_states(arguments.build, kind, arguments.seed,
                               f"{place}-states", arguments.states)
    return good


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--cuts", type=int, default=40)
    parser.add_argument("--failing", type=int, default=16)
    parser.add_argument("--states", type=int, default=400)
    parser.add_argument("--fs", default="ext4,xfs")
    parser.add_argument("--seed", type=int,
                        default=int(os.environ.get("ACTA_SEED", 0)) or
                        random.randrange(1, 1 << 62))
    parser.add_argument("--keep", action="store_true",
                        help="leave what was made, also if all is well")
    parser.add_argument("--if-long", action="store_true",
                        help="only with ACTA_TEST_LONG=1 in the environment")
    arguments = parser.parse_args()
    if arguments.if_long and os.environ.get("ACTA_TEST_LONG", "") != "1":
        print("skipped: it takes long")
        return SKIPPED
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    if missing(arguments.fs.split(",")) is not None:
        print(f"skipped: there is no {missing(arguments.fs.split(','))}")
        return SKIPPED
    arguments.build = os.path.abspath(arguments.build)
    print(f"ACTA_SEED={arguments.seed}", flush=True)
    directory = tempfile.mkdtemp(prefix="acta-power-")
    good = run_all(arguments, directory)
    if good and not arguments.keep:
        shutil.rmtree(directory)
    else:
        print(f"left in {directory}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
