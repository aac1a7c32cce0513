#!/usr/bin/env python3
"""The checker of leases finds nothing in a good history, and each fault in one
that was good before."""

import json
import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import check
from check_leases import Leases


def ask(number, kind, at, fence=0, wait=0, duration=100):
    return {"ask": number, "kind": kind, "name": "a", "fence": fence,
            "duration": duration, "wait": wait, "at": at}


def told(number, at, code="OK", fence=0):
    return {"told": number, "code": code, "fence": fence, "at": at}


def good():
    """The first holds it from 1010 and gives it up at 1150, the second waits
    for it and stays too long, the third is told the moment it may go."""
    return {
        "holder-1.log": [
            ask(1, "acquire", 1000), told(1, 1010, fence=5),
            ask(2, "renew", 1080, 5), told(2, 1090),
            ask(3, "append", 1100, 5), told(3, 1110),
            ask(4, "release", 1150, 5), told(4, 1160),
        ],
        "holder-2.log": [
            ask(1, "acquire", 1020), told(1, 1030, "HELD"),
            ask(2, "acquire", 1040, wait=500), told(2, 1155, fence=6),
            ask(3, "renew", 1160, 6), told(3, 1170),
            ask(4, "append", 1300, 6), told(4, 1310, "FENCED"),
        ],
        "holder-3.log": [
            ask(1, "acquire", 1200, wait=100), told(1, 1265, fence=7),
            ask(2, "append", 1266, 7), told(2, 1270),
        ],
        "dump.log": [
            {"event": 1, "stream": "work-a", "data": "1 3 5"},
            {"event": 2, "stream": "work-a", "data": "3 2 7"},
        ],
    }


class Checker(unittest.TestCase):
    def judge(self, history):
        with tempfile.TemporaryDirectory() as directory:
            for name, steps in history.items():
                with open(os.path.join(directory, name), "w",
                          encoding="utf-8") as file:
                    file.writelines(json.dumps(step) + "\n" for step in steps)
            return Leases(directory).check()

    def assert_found(self, history, text):
        _, problems = self.judge(history)
        self.assertTrue(any(text in problem for problem in problems), problems)

    def test_finds_nothing_in_a_good_history(self):
        counts, problems = self.judge(good())
        self.assertEqual(problems, [])
        self.assertEqual((counts["granted"], counts["granted_after_waiting"]),
                         (3, 2))

    def test_finds_two_holders(self):
        history = good()
        history["holder-2.log"][3]["at"] = 1149
        self.assert_found(history, "two holders")

    def test_finds_a_holder_within_the_time_that_was_renewed(self):
        history = good()
        history["holder-3.log"][1]["at"] = 1255
        self.assert_found(history, "two holders")

    def test_finds_two_holders_of_one_fence(self):
        history = good()
        history["holder-3.log"][1]["fence"] = 6
        history["holder-3.log"][2]["fence"] = 6
        history["holder-3.log"] = history["holder-3.log"][:2]
        self.assert_found(history, "and is that of")

    def test_finds_a_fence_that_does_not_grow(self):
        history = good()
        for step in history["holder-3.log"]:
            step["fence"] = 4 if step["fence"] or "told" in step else 0
        history["dump.log"][1]["data"] = "3 2 4"
        self.assert_found(history, "does not grow")
        self.assert_found(history, "behind 5")

    def test_finds_a_lease_that_was_lost_before_its_time(self):
        history = good()
        history["holder-1.log"][3]["code"] = "FENCED"
        history["holder-1.log"][3]["at"] = 1099
        self.assert_found(history, "lost before its time")

    def test_finds_that_a_lost_fence_was_accepted(self):
        history = good()
        history["holder-2.log"][7]["code"] = "OK"
        history["dump.log"].append(
            {"event": 3, "stream": "work-a", "data": "2 4 6"})
        self.assert_found(history, "was accepted after 7")
        self.assert_found(history, "behind 7")

    def test_finds_a_refused_append_that_is_stored(self):
        history = good()
        history["dump.log"].insert(
            1, {"event": 2, "stream": "work-a", "data": "2 4 6"})
        self.assert_found(history, "refused, and stored")

    def test_finds_an_accepted_append_that_is_not_stored(self):
        history = good()
        del history["dump.log"][0]
        self.assert_found(history, "accepted, and not stored")

    def test_finds_that_a_released_lease_was_renewed(self):
        history = good()
        history["holder-1.log"] += [ask(5, "renew", 1170, 5), told(5, 1180)]
        self.assert_found(history, "after the release")

    def test_finds_an_answer_that_there_is_none_of(self):
        history = good()
        history["holder-2.log"][1]["code"] = "NOT_FOUND"
        self.assert_found(history, "was told NOT_FOUND")

    def test_judges_nothing_where_nothing_happened(self):
        history = good()
        del history["holder-3.log"]
        del history["holder-2.log"][2:]
        del history["dump.log"][1]
        with self.assertRaises(check.Malformed):
            self.judge(history)


if __name__ == "__main__":
    unittest.main()
