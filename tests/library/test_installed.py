"""What a user of libacta gets: programs, in C and C++, that are built with what
is installed and nothing else. fixture.py tells how it is called.
"""

import re
import signal
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
from fixture import CC, CXX, SOURCE, WAIT_S, Library, run


class Installed(Library):
    def test_seats_of_a_course_are_given_to_those_who_may_have_them(self):
        courses = self.build(SOURCE / "client" / "examples" /
                             "course_subscriptions.c")
        url = self.serve()
        for wish, data, said in (
                ("Subscribe", "anna", "there is no course history\n"),
                ("DefineCourse", "1", "done\n"),
                ("Subscribe", "anna", "done\n"),
                ("Subscribe", "anna", "anna is in the course already\n"),
                ("Subscribe", "bert", "all 1 seats are taken\n"),
                ("ChangeCapacity", "2", "done\n"),
                ("Subscribe", "bert", "done\n")):
            self.assertEqual(
                self.run_program(courses, url, wish, "history", data), said)

    def test_examples_are_built_from_what_is_installed(self):
        append = self.build(SOURCE / "client" / "examples" / "append.c")
        self.build(SOURCE / "client" / "examples" / "projection.c")
        url = self.serve()
        said = self.run_program(append, url, "order-42")
        self.assertIn("order-42 is at version 2, the database at 2\n", said)
        said = self.run_program(append, url, "order-42")
        self.assertIn("was placed before: it is at version 2\n", said)

    def test_projection_goes_on_where_it_was(self):
        append = self.build(SOURCE / "client" / "examples" / "append.c")
        projection = self.build(SOURCE / "client" / "examples" /
                                "projection.c")
        url = self.serve()
        for count in (1, 2):
            self.run_program(append, url, f"order-{count}")
            with subprocess.Popen([projection, url, "counts"], cwd=self.dir,
                                  stdout=subprocess.PIPE, text=True,
                                  env=self.environment) as process:
                for line in process.stdout:
                    if line.startswith(f"position {2 * count} of "):
                        process.terminate()
                        break
                process.stdout.read()
                self.assertEqual(process.wait(WAIT_S), 0)
            self.assertEqual((self.dir / "counts").read_text(),
                             f"position {2 * count}\n"
                             f"{count} OrderPlaced\n{count} OrderPaid\n")

    def test_username_goes_from_user_to_user_but_is_never_with_two(self):
        username = self.build(SOURCE / "client" / "examples" / "username.c")
        url = self.serve()
        taken = "anna is taken by user-1\n"
        for wish, user, said in (
                ("GiveNameBack", "user-1", "anna is not the name of user-1\n"),
                ("TakeName", "user-1", "done\n"),
                ("TakeName", "user-2", taken),
                ("GiveNameBack", "user-2", "anna is not the name of user-2\n"),
                ("GiveNameBack", "user-1", "done\n"),
                ("TakeName", "user-2", "done\n")):
            self.assertEqual(
                self.run_program(username, url, wish, "anna", user), said)

    def test_username_that_many_want_at_once_goes_to_one(self):
        username = self.build(SOURCE / "client" / "examples" / "username.c")
        url = self.serve()
        for name in ("anna", "bob", "eve"):
            users = [subprocess.Popen(
                [username, url, "TakeName", name, f"user-{i}"],
                stdout=subprocess.PIPE, text=True, env=self.environment)
                for i in range(8)]
            said = [user.communicate(timeout=WAIT_S)[0] for user in users]
            self.assertEqual([user.returncode for user in users], [0] * 8)
            owners = [i for i in range(8) if said[i] == "done\n"]
            self.assertEqual(len(owners), 1)
            refused = f"{name} is taken by user-{owners[0]}\n"
            self.assertEqual(said.count(refused), 7)

    def test_workers_share_orders_and_handle_each_event_once(self):
        append = self.build(SOURCE / "client" / "examples" / "append.c")
        worker = self.build(SOURCE / "client" / "examples" / "worker.c")
        url = self.serve()
        orders = [f"order-{i}" for i in range(10)]
        for order in orders:
            self.run_program(append, url, order)
        first = self.start(worker, url, "shippers")
        lines = [first.stdout.readline() for _ in range(2 * len(orders))]
        self.assertEqual(
            sorted(lines), sorted(f"{order} {version} {kind}\n"
                                  for order in orders for version, kind in
                                  ((1, "OrderPlaced"), (2, "OrderPaid"))))
        for order in orders:
            self.assertLess(lines.index(f"{order} 1 OrderPlaced\n"),
                            lines.index(f"{order} 2 OrderPaid\n"))
        first.terminate()
        self.assertEqual(first.wait(WAIT_S), 0, first.stderr.read())
        # The next one goes on behind what is handled.
        second = self.start(worker, url, "shippers")
        self.run_program(append, url, "order-last")
        self.assertEqual(second.stdout.readline(),
                         "order-last 1 OrderPlaced\n")

    def test_process_manager_goes_on_where_the_one_before_was(self):
        append = self.build(SOURCE / "client" / "examples" / "append.c")
        manager = self.build(SOURCE / "client" / "examples" /
                             "process_manager.c")
        url = self.serve()
        self.run_program(append, url, "order-1")
        first = self.start(manager, url, 3600000)
        self.assertEqual(first.stdout.readline(), "order 1 is to be paid\n")
        self.assertEqual(first.stdout.readline(), "order 1 is paid\n")
        # Another one takes over.
        second = self.start(manager, url, 3600000)
        self.assertEqual(first.wait(WAIT_S), 1)
        self.assertIn("(FENCED)", first.stderr.read())
        self.run_program(append, url, "order-2")
        self.assertEqual(second.stdout.readline(), "order 2 is to be paid\n")
        second.terminate()
        self.assertIn(second.wait(WAIT_S), (0, -signal.SIGTERM))

    def test_process_manager_lets_an_order_lapse_that_is_not_paid(self):
        manager = self.build(SOURCE / "client" / "examples" /
                             "process_manager.c")
        url = self.serve()
        place = self.build(self.program_of("acta.h", url))
        first = self.start(manager, url, 0)
        self.run_program(place)
        self.assertEqual(first.stdout.readline(), "order 42 is to be paid\n")
        self.assertEqual(first.stdout.readline(), "order 42 lapses\n")
        first.terminate()
        self.assertIn(first.wait(WAIT_S), (0, -signal.SIGTERM))

    @unittest.skipIf(not CXX, "there is no C++ compiler")
    def test_headers_are_used_from_cplusplus(self):
        program = self.build(SOURCE / "tests" / "library" / "program.cc", CXX,
                             ["-std=c++11"])
        self.assertEqual(self.run_program(program, self.serve()),
                         'version 1\nOrderPlaced: {"total": 12}\n'
                         'snapshot state\n')

    def symbols(self, *command):
        """Names that are defined and seen, without those of sanitizers."""
        names = [line.split()[-1].split("@")[0]
                 for line in run("nm", *command).splitlines()
                 if len(line.split()) == 3]
        return [name for name in names
                if not re.match("_*(asan|ubsan|tsan|odr_asan|san)", name)]

    def test_shared_library_shows_nothing_but_its_interface(self):
        names = self.symbols("-D", "--defined-only",
                             self.libdir / "libacta.so")
        self.assertIn("acta_open", names)
        self.assertEqual([name for name in names
                          if not name.startswith("acta_")], [])

    def test_archive_shows_nothing_but_its_interface(self):
        names = self.symbols("-g", "--defined-only",
                             self.libdir / "libacta.a")
        self.assertIn("acta_open", names)
        self.assertEqual([name for name in names
                          if not name.startswith("acta_")], [])
        self.assertEqual(sorted(names), sorted(self.symbols(
            "-D", "--defined-only", self.libdir / "libacta.so")))

    def test_program_may_have_the_names_that_the_archive_has_inside(self):
        libs = [flag for flag in self.flags("--static", "--libs")
                if flag != "-lacta"]
        program = self.build(SOURCE / "tests" / "library" / "collide.c",
                             libs=[self.libdir / "libacta.a", *libs])
        self.assertEqual(self.run_program(program, self.serve()), "head 0\n")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
