"""client/README.md, as it is told: its listings are files, its commands are run
in a shell with the library as it is installed, and what they print has to be
what it says. fixture.py tells how it is called.

A listing of C names its file behind ```c; of one with ```console the lines with
"$ " are commands, and those below what they print: as many blanks as there are,
and anything where it says "...".
"""

import contextlib
import os
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
from fixture import BUILD, CC, SANITIZE, SOURCE, WARNINGS, Library

GUIDE = SOURCE / "client" / "README.md"
URL = "acta://127.0.0.1:2282"
LISTING = re.compile(r"(?ms)^```(\w*) ?([^\n]*)\n(.*?)^```$")
END_OF_OUTPUT = "---- end of what was printed ----"


def listings():
    """Of each: its language, what stands behind that, and its text."""
    return LISTING.findall(GUIDE.read_text())


def files():
    return {name: text for language, name, text in listings()
            if language == "c"}


def commands():
    """Of each its line, and what it prints."""
    found = []
    for language, _, text in listings():
        for line in text.splitlines() if language == "console" else []:
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found


def pattern_of(line):
    return r"\s+".join(
        ".*".join(re.escape(part) for part in word.split("..."))
        for word in line.split()) + r"\s*"


class Guide(Library):
    def write_program(self, path, text):
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def make_tools(self):
        """cc and pkg-config as they are once the library is installed."""
        tools = self.dir / "tools"
        tools.mkdir()
        compiler = shlex.join([shutil.which(CC[0]), *CC[1:], *SANITIZE,
                               *WARNINGS])
        self.write_program(tools / "cc", f'exec {compiler} "$@"')
        program, *options = self.pkg_config
        pkg_config = shlex.join([shutil.which(program), *options])
        self.write_program(tools / "pkg-config", f'exec {pkg_config} "$@"')
        return tools

    def transcript(self, url):
        """What each command prints, in one shell for all."""
        tools = self.make_tools()
        script = "".join(
            f"{line.replace(URL, url)}\necho '{END_OF_OUTPUT}'\n"
            for line, _ in commands())
        path = [tools, BUILD / "server", BUILD / "tools", os.environ["PATH"]]
        (self.dir / "guide.sh").write_text(script)
        shell = subprocess.Popen(
            ["bash", "guide.sh"], text=True, cwd=self.dir,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True,
            env=dict(self.environment, NO_COLOR="1",
                     PATH=":".join(str(part) for part in path)))
        try:
            printed, _ = shell.communicate(timeout=200)
        finally:
            # With what it has left in the background, if it was not ended.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
        return printed.split(END_OF_OUTPUT + "\n")

    def test_every_listing_is_a_file_or_a_command(self):
        for language, name, _ in listings():
            self.assertIn(language, ("c", "console"))
            self.assertEqual(bool(re.fullmatch(r"\w+\.[ch]", name)),
                             language == "c")
        self.assertGreater(len(files()), 5)

    def test_every_program_is_built_by_a_command(self):
        built = " ".join(line for line, _ in commands()
                         if line.startswith("cc "))
        for name in files():
            if name.endswith(".c"):
                self.assertIn(f" {name} ", built)

    def test_commands_print_what_it_says(self):
        if not (self.prefix / "include" / "acta" / "acta_sqlite.h").exists():
            self.skipTest("there is no SQLite")
        for name, text in files().items():
            (self.dir / name).write_text(text)
        printed = self.transcript(self.serve())
        for (line, expected), lines in zip(commands(), printed):
            self.assertRegex(
                lines, r"\A\s*" + "".join(map(pattern_of, expected)) + r"\Z",
                f"$ {line}\n{''.join(printed)}")
        self.assertEqual(len(printed), len(commands()) + 1)

    def test_links_lead_somewhere(self):
        text = GUIDE.read_text()
        for link in re.findall(r"\]\(([^)]+)\)", text):
            path, _, anchor = link.partition("#")
            with self.subTest(link):
                self.assertTrue((GUIDE.parent / path).exists())
                if not path:
                    titles = re.findall(r"(?m)^#+ (.*)$", text)
                    self.assertIn(anchor, [
                        re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
                        for title in titles])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
