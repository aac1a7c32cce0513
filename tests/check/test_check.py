#!/usr/bin/env python3
"""The checker finds nothing in a good history, and each kind of damage in one
that was good before: by the name of the promise that it breaks."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import check
import histories
from appends import Appends
from followers import Followers
from logs import Malformed, TooLittle
from stored import Stored


def write(directory, history):
    for name, steps in history.items():
        with open(os.path.join(directory, name), "w",
                  encoding="utf-8") as file:
            file.writelines(json.dumps(step) + "\n" for step in steps)


def judge(history, is_few=False):
    with tempfile.TemporaryDirectory() as directory:
        write(directory, history)
        return check.judge(directory, is_few)


class Checker(unittest.TestCase):
    def test_finds_nothing_in_a_good_history(self):
        for good, counts in histories.GOOD:
            with self.subTest(good.__name__):
                findings, found = judge(good())
                self.assertEqual(findings.texts, [])
                self.assertEqual(found, {**found, **counts})

    def test_finds_nothing_in_good_histories_of_one_database(self):
        history = histories.together(histories.leases(),
                                     histories.checkpoints(),
                                     histories.schedules())
        findings, found = judge(history)
        self.assertEqual(findings.texts, [])
        self.assertEqual(found["events"], 14)

    def test_objects_to_each_damage_by_name(self):
        for good, promise, text, *damages in histories.DAMAGED:
            history = good()
            for damage in damages:
                damage(history)
            with self.subTest(promise, text=text):
                findings, _ = judge(history)
                self.assertGreater(findings.by_promise[promise], 0,
                                   findings.texts)
                self.assertTrue(any(text in found for found in findings.texts),
                                findings.texts)

    def test_does_not_object_to_what_has_a_reason(self):
        for good, promise, *damages in histories.INNOCENT:
            history = good()
            for damage in damages:
                damage(history)
            with self.subTest(promise):
                self.assertEqual(judge(history)[0].by_promise[promise], 0)

    def test_knows_a_damage_to_every_promise(self):
        promises = [promise
                    for kind in (Stored, Appends, Followers, *check.JUDGES)
                    for promise in kind.PROMISES]
        self.assertEqual(len(set(promises)), len(promises))
        self.assertEqual({row[1] for row in histories.DAMAGED}, set(promises))

    def test_judges_nothing_that_is_no_history(self):
        for good, *damages in histories.MALFORMED:
            history = good()
            for damage in damages:
                damage(history)
            with self.subTest(good.__name__), self.assertRaises(
                    (Malformed, KeyError)):
                judge(history)

    def test_judges_nothing_of_which_too_little_is_left(self):
        for good, *damages in histories.TOO_LITTLE:
            history = good()
            for damage in damages:
                damage(history)
            with self.subTest(good.__name__):
                with self.assertRaises(TooLittle):
                    judge(history)
                self.assertEqual(judge(history, is_few=True)[0].texts, [])

    def test_ends_with_2_where_it_cannot_tell(self):
        for lines, code in (([], 0), ([{"event": 5}], 2), (["no"], 2)):
            history = histories.leases()
            dump = sorted(name for name in history if "dump" in name)[-1]
            history[dump] = [*lines, *history[dump]]
            with self.subTest(lines), \
                    tempfile.TemporaryDirectory() as directory:
                write(directory, history)
                done = subprocess.run(
                    [sys.executable, "-B", check.__file__, directory],
                    capture_output=True, check=False)
                self.assertEqual(done.returncode, code, done.stderr)

    def test_judges_nothing_without_what_is_wanted(self):
        wanted = ["refused", "reads_after_ack"]
        with tempfile.TemporaryDirectory() as directory:
            write(directory, histories.appends())
            findings, _ = check.judge(directory, wanted=wanted)
            self.assertEqual(findings.texts, [])
            with self.assertRaises(TooLittle):
                check.judge(directory, wanted=[*wanted, "repeated"])

    def test_judges_what_little_has_happened_where_that_is_enough(self):
        history = histories.leases()
        history["keeper-1.log"] = []
        with self.assertRaises(TooLittle):
            judge(history)
        findings, counts = judge(history, is_few=True)
        self.assertEqual(findings.texts, [])
        self.assertEqual((counts["moves"], counts["granted"] > 0), (0, True))


if __name__ == "__main__":
    unittest.main()
