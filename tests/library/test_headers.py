"""The headers as they are installed: each is complete, and begins with a
program that does what it says. fixture.py tells how it is called.
"""

import re
import shlex
import sys
import unittest

sys.dont_write_bytecode = True
from fixture import Library, run

PLACED = 'OrderPlaced: {"total": 12}\n'

# Of programs that end: what they print, run after run, one after the other on
# one server, and with which arguments.
SAID = [
    ("acta_query.h", [], ""),
    ("acta_poll.h", [], "head 0\n"),
    ("acta.h", [], "order-42 is now at version 1\n" + PLACED),
    ("acta.h", [], "order-42 is now at version 2\n" + 2 * PLACED),
    ("acta_sync.h", [], 3 * PLACED),
    ("acta_query.h", [], 3 * "order-42 OrderPlaced\n"),
    ("acta_ev.h", [], "head 3\n"),
    ("acta_snapshot.h", [], "3 new, 3 in all\n"),
    ("acta_snapshot.h", [], ""),
    ("acta_sync.h", [], 4 * PLACED),
    ("acta_snapshot.h", [], "1 new, 4 in all\n"),
    ("acta_append.h", [], "stored\n"),
    ("acta_backup.h", [], "it takes some bytes\n"),
    ("acta_decider.h", ["Withdraw", "42", "1"], "refused: there are only 0\n"),
    ("acta_decider.h", ["Deposit", "42", "500"],
     "account-42 is at version 1\n"),
    ("acta_decider.h", ["Withdraw", "42", "300"],
     "account-42 is at version 2\n"),
    ("acta_decider.h", ["Withdraw", "42", "300"],
     "refused: there are only 200\n"),
    ("acta_dispatch.h", [], "done\n"),
    ("acta_dispatch.h", [], "once is enough\n"),
    ("acta_lease.h", [], "we are the one\n"),
    ("acta_schedule.h", [], "order-42-unpaid: PaymentLate\n"),
    ("acta_verify.h", [], "whole\n"),
    ("acta_memory.h", [], "1 events\n"),
    ("acta_upcast.h", [], 'OrderPlaced {"cents": 1200, "in": "EUR"}\n'),
    ("acta_kit.h", [], "\n\n"),
    ("acta_kit_projection.h", [], "\n1 order\n"),
    ("acta_kit_process.h", [], "\n"),
]

# Programs that go on for ever: what they print first.
GO_ON = {
    "acta_consumer.h": "order-42 OrderPlaced\n",
    "acta_group.h": "order-42 OrderPlaced\n",
}

# Programs that are only built.
BUILT = {"acta_process.h", "acta_projection.h"}

# Headers of the protocol, which are installed because the others need them.
SHARED = {"codes.h", "err.h"}


def flags_of_store(header):
    """What the header of a read model's store needs besides libacta."""
    stores = {"acta_postgres.h": "libpq", "acta_sqlite.h": "sqlite3"}
    if header not in stores:
        return []
    return shlex.split(run("pkg-config", "--cflags", stores[header]))


class Headers(Library):
    def headers(self):
        return sorted(path for path in
                      (self.prefix / "include" / "acta").iterdir())

    def build_top(self, header, url):
        code = self.code_of(header)
        libs = self.flags("--libs")
        if "acta_sqlite.h" in code:
            libs = ["-lacta-sqlite", "-lsqlite3", *libs]
        if "acta_ev.h" in code:
            libs = ["-lev", *libs]
        return self.build(self.program_of(header, url), libs=libs)

    def test_each_begins_with_a_program_or_says_where_one_is(self):
        tested = {header for header, _, _ in SAID} | set(GO_ON) | BUILT
        for path in self.headers():
            with self.subTest(path.name):
                if path.name in SHARED:
                    continue
                if self.code_of(path.name) is not None:
                    self.assertIn(path.name, tested)
                    continue
                text = " ".join(path.read_text().replace("\n *", " ").split())
                shown = re.search(r"(acta_\w+\.h) shows a program", text)
                self.assertTrue(shown, "no program")
                self.assertIsNotNone(self.code_of(shown[1]))

    def test_programs_do_what_they_say(self):
        url = self.serve()
        programs = {}
        for header, arguments, said in SAID:
            with self.subTest(header):
                if header not in programs:
                    programs[header] = self.build_top(header, url)
                self.assertEqual(
                    self.run_program(programs[header], *arguments), said)

    def test_programs_that_go_on_begin_as_they_say(self):
        url = self.serve()
        self.run_program(self.build_top("acta_sync.h", url))
        for header, said in GO_ON.items():
            with self.subTest(header):
                process = self.start(self.build_top(header, url))
                self.assertEqual(process.stdout.readline(), said)

    def test_a_name_that_is_taken_is_not_given_again(self):
        program = self.build_top("acta_append.h", self.serve())
        self.run_program(program)
        with self.assertRaisesRegex(AssertionError, "user-1"):
            self.run_program(program)

    def test_programs_that_need_more_are_built(self):
        has_sqlite = any(path.name == "acta_sqlite.h"
                         for path in self.headers())
        for header in sorted(BUILT):
            if has_sqlite or "acta_sqlite.h" not in self.code_of(header):
                self.build_top(header, "acta://127.0.0.1")

    def test_each_stands_alone_in_strict_c(self):
        self.assertGreater(len(self.headers()), 20)
        for header in self.headers():
            source = self.dir / "alone.c"
            source.write_text(f"#include <acta/{header.name}>\n"
                              "int main(void) { return 0; }\n")
            self.build(source, flags=["-std=c11", "-D_POSIX_C_SOURCE=200809L",
                                      *flags_of_store(header.name)])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
