"""A machine whose power can be cut: a User-Mode Linux guest, which is a few
processes of this user.

Its disks are files, its root is the host's, read-only. What it says comes over
terminals, which are pipes here: number 0 is where its programs print, the
others are the task's own. What was said before a cut is not lost.
"""

import fcntl
import os
import signal
import subprocess
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = "linux.uml"
MEMORY = "256M"
PIPE_SIZE = 1 << 20
LOCK_PATIENCE_S = 30


class Guest:
    """@task is what init does: lines of shell. @disks are files; @logs are
    files, to which what comes from terminal 1, 2 and so on is appended."""

    def __init__(self, directory, task, disks, logs=()):
        self.directory = directory
        self.changed = threading.Condition()
        self.lines = []      # What was printed.
        self.spoken = set()  # Terminals from which anything came.
        self.ended = False
        for disk in disks:
            wait_for_disk(disk)
        self.start(task, disks, logs)

    def start(self, task, disks, logs):
        path = os.path.join(self.directory, "task")
        with open(path, "w", encoding="utf-8") as file:
            file.write(task)
        arguments = [
            PROGRAM, f"mem={MEMORY}", "root=/dev/root", "rootfstype=hostfs",
            "rootflags=/", "ro", f"init={HERE}/init", f"POWER_TASK={path}",
            "con=null", "quiet", "panic=1", f"uml_dir={self.directory}/",
            "umid=guest", *(f"ubd{i}={disk}" for i, disk in enumerate(disks)),
        ]
        ends = []
        self.readers = []
        for number in range(1 + len(logs)):
            reading, writing = os.pipe()
            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
            arguments.append(f"ssl{number}=null,fd:{writing}")
            ends.append(writing)
            reader = (threading.Thread(target=self.read_lines, args=[reading])
                      if number == 0 else
                      threading.Thread(target=self.keep, args=[
                          number, reading, logs[number - 1]]))
            self.readers.append(reader)
        environment = {**os.environ, "TMPDIR": self.directory,
                       "HOME": self.directory}
        self.process = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, pass_fds=ends, start_new_session=True,
            env=environment)
        for end in ends:
            os.close(end)
        for reader in self.readers:
            reader.start()

    def read_lines(self, reading):
        with os.fdopen(reading, encoding="utf-8", errors="replace") as file:
            for line in file:
                with self.changed:
                    self.lines.append(line.rstrip())
                    self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def keep(self, number, reading, path):
        with open(path, "ab", buffering=0) as file:
            while data := os.read(reading, PIPE_SIZE):
                file.write(data)
                with self.changed:
                    self.spoken.add(number)
                    self.changed.notify_all()
        os.close(reading)

    def wait_for(self, condition, seconds):
        """Wait until @condition(), or the guest's end. False if neither came.
        """
        with self.changed:
            return self.changed.wait_for(lambda: self.ended or condition(),
                                         seconds)

    def has_said(self, text):
        return any(line.startswith(text) for line in self.lines)

    def cut(self):
        """The power is gone, in all of the guest at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.finish()

    def wait(self, seconds):
        """Wait for its end. If that does not come, its power is cut; True if
        it came."""
        in_time = self.wait_for(lambda: False, seconds)
        if not in_time:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.finish()
        return in_time

    def finish(self):
        for reader in self.readers:
            reader.join()
        self.process.wait()


def wait_for_disk(path):
    """A guest that was killed holds the lock on its disk a moment longer."""
    deadline = time.monotonic() + LOCK_PATIENCE_S
    with open(path, "r+b") as file:
        while True:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
