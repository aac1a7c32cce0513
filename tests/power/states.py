"""Inside the guest: brings a disk to states that a power cut may leave, one
after the other, and has each looked at.

    states.py LOG DISK SPARE PROGRAM OUT N...

DISK is as it was when LOG began. N are numbers of entries, growing: the state
after the first N. Each is looked at through a snapshot, whose changes go to
SPARE, so that the next one is built from what the log says alone. For each a
line is printed: "state N ok" or "state N FAILED" with what was said before it.
"""

import os
import subprocess
import sys

import log_writes

DISK = "/mnt/disk"
SECTOR = 512


def run(*command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options)


def must(*command):
    done = run(*command)
    if done.returncode != 0:
        print(" ".join(command), done.stdout.decode(), flush=True)
    return done.returncode == 0


def look(program, out):
    os.makedirs(out, exist_ok=True)
    settings = {"CK_RUN_CASE": "look", "CK_FORK": "no", "POWER_DISK": DISK,
                "POWER_LOGS": out, "POWER_DUMP": "1"}
    done = run(program, env={**os.environ, **settings})
    if done.returncode != 0:
        print(done.stdout.decode(errors="replace"), flush=True)
    return done.returncode == 0


def look_through_snapshot(disk, spare, kind, program, out):
    with open(disk, "rb") as file:
        size = file.seek(0, os.SEEK_END) // SECTOR
    if not must("dmsetup", "create", "state", "--table",
                f"0 {size} snapshot {disk} {spare} N 8"):
        return False
    good = must("mount", "-t", kind, "/dev/mapper/state", DISK)
    if good:
        good = look(program, out)
        must("umount", DISK)
    must("dmsetup", "remove", "state")
    return good


def main():
    path, disk, spare, kind, program, out = sys.argv[1:7]
    log = log_writes.Log(path)
    done = 0
    for number in map(int, sys.argv[7:]):
        with open(disk, "r+b", buffering=0) as file:
            for entry in log.entries[done:number]:
                log.apply(entry, file)
            os.fsync(file.fileno())
        done = number
        good = look_through_snapshot(disk, spare, kind, program,
                                     f"{out}/state-{number}")
        print(f"state {number} {'ok' if good else 'FAILED'}", flush=True)


if __name__ == "__main__":
    main()
