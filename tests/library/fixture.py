"""What tests of the installed library share: it is installed below a temporary
directory, and programs are built with nothing but that.

    TEST.py MESON SOURCE BUILD

The compilers are in CC, CXX (empty: there is none) and their flags for
sanitizers in SANITIZE.
"""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

WAIT_S = 30
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]

MESON, SOURCE, BUILD = sys.argv[1:4]
SOURCE = pathlib.Path(SOURCE)
BUILD = pathlib.Path(BUILD)
CC = shlex.split(os.environ["CC"])
CXX = shlex.split(os.environ["CXX"])
SANITIZE = shlex.split(os.environ["SANITIZE"])


def run(*command, **others):
    """What the command prints; it must succeed."""
    done = subprocess.run([str(part) for part in command], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=300, **others)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}")
    return done.stdout


class Server:
    """An actad on a directory of its own."""

    def __init__(self, home):
        port_file = home / "port"
        self.process = subprocess.Popen(
            [BUILD / "server" / "actad", "--data-dir", home / "data",
             "--listen", "127.0.0.1:0", "--port-file", port_file,
             "--journal-segment-size", "4MiB", "--store-map-size", "1GiB",
             "--disk-reserve", "1MiB", "--log-level", "error"])
        end = time.monotonic() + WAIT_S
        while not port_file.exists() or port_file.stat().st_size == 0:
            if self.process.poll() is not None or time.monotonic() > end:
                self.process.kill()
                self.process.wait()
                raise AssertionError("actad did not start")
            time.sleep(0.01)
        self.url = "acta://127.0.0.1:" + port_file.read_text().strip()

    def stop(self):
        """It must end well: a sanitizer may have found something."""
        self.process.terminate()
        status = self.process.wait(WAIT_S)
        if status != 0:
            raise AssertionError(f"actad ended with {status}")


class Library(unittest.TestCase):
    """Has a directory of its own in each test."""

    @classmethod
    def setUpClass(cls):
        cls.home = pathlib.Path(tempfile.mkdtemp(prefix="acta-installed-"))
        cls.addClassCleanup(shutil.rmtree, cls.home)
        root = cls.home / "root"
        run(MESON, "install", "-C", BUILD, "--no-rebuild", "--quiet",
            "--destdir", root)
        (file,) = root.rglob("libacta.pc")
        prefix = re.search("(?m)^prefix=(.*)$", file.read_text())[1]
        cls.prefix = root / prefix.lstrip("/")
        cls.libdir = file.parent.parent
        cls.pkg_config = ["pkg-config",
                          f"--define-variable=prefix={cls.prefix}"]
        cls.environment = dict(os.environ, PKG_CONFIG_PATH=str(file.parent),
                               LD_LIBRARY_PATH=str(cls.libdir))

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(dir=self.home))

    def flags(self, *what):
        return shlex.split(run(*self.pkg_config, *what, "libacta",
                               env=self.environment))

    def build(self, source, compiler=CC, flags=(), libs=None):
        """Compile a program as its author would; where it then is."""
        program = self.dir / pathlib.Path(source).stem
        run(*compiler, *SANITIZE, *WARNINGS, *flags, *self.flags("--cflags"),
            "-o", program, source,
            *(self.flags("--libs") if libs is None else libs))
        return program

    def serve(self):
        server = Server(self.dir)
        self.addCleanup(server.stop)
        return server.url

    def run_program(self, *command):
        return run(*command, env=self.environment, cwd=self.dir)

    def code_of(self, header):
        """The program in the comment at the top of a header, or None."""
        text = (self.prefix / "include" / "acta" / header).read_text()
        found = re.search(r"(?ms)^ \*     #include.*?^ \*     }\n \*\n \* \S",
                          text[:text.index("\n */")])
        if not found or "\n *     main(" not in found[0]:
            return None
        return "".join(line[len(" *     "):] + "\n"
                       for line in found[0].splitlines()[:-2])

    def program_of(self, header, url):
        """That program, for this URL, in a file."""
        code = self.code_of(header)
        self.assertLessEqual(code.count('"acta://127.0.0.1"'), 1)
        source = self.dir / header.replace(".h", "_top.c")
        source.write_text(code.replace("acta://127.0.0.1", url))
        return source

    def start(self, *command):
        process = subprocess.Popen(
            [str(part) for part in command], cwd=self.dir, text=True,
            env=self.environment, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process
