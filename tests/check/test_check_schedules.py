#!/usr/bin/env python3
"""The checker of schedules finds nothing in a good history, and each fault in
one that was good before."""

import json
import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import check
from check_schedules import Schedules


def told(number, wall, code="OK", cancelled=0):
    return {"told": number, "code": code, "cancelled": cancelled, "wall": wall}


def event(position, time, name):
    return {"event": position, "time": time, "name": name}


def good():
    """Of a to g, b is moved, c is cancelled, d cannot be moved any more, e may
    have been cancelled, f is only known when g, which is due later, was done.
    """
    return {
        "planner-1.log": [
            {"ask": 1, "plan": [["a", 100, 1], ["b", 110, 2], ["c", 120, 1],
                                ["d", 100, 1], ["e", 130, 1], ["g", 190, 1]]},
            told(1, 0, "UNKNOWN"), told(1, 50),
            {"ask": 2, "move": "b", "due": 140}, told(2, 60),
            {"ask": 3, "cancel": "c"}, told(3, 70, cancelled=1),
            {"ask": 4, "move": "d", "due": 180}, told(4, 125, "CONFLICT"),
            {"ask": 5, "cancel": "e"}, told(5, 126, "UNKNOWN"),
            told(5, 127),
            {"ask": 6, "plan": [["f", 180, 1]]}, told(6, 200),
        ],
        "dump.log": [
            event(1, 100, "a"), event(2, 100, "d"), event(3, 145, "b"),
            event(4, 145, "b"), event(5, 195, "g"), event(6, 199, "f"),
        ],
    }


class Checker(unittest.TestCase):
    def judge(self, history):
        with tempfile.TemporaryDirectory() as directory:
            for name, steps in history.items():
                with open(os.path.join(directory, name), "w",
                          encoding="utf-8") as file:
                    file.writelines(json.dumps(step) + "\n" for step in steps)
            return Schedules(directory).check()

    def assert_found(self, history, text):
        _, problems = self.judge(history)
        self.assertTrue(any(text in problem for problem in problems), problems)

    def test_finds_nothing_in_a_good_history(self):
        counts, problems = self.judge(good())
        self.assertEqual(problems, [])
        self.assertEqual((counts["planned"], counts["moved"],
                          counts["cancelled"], counts["late"]), (7, 1, 1, 1))

    def test_finds_one_that_did_not_take_place(self):
        history = good()
        del history["dump.log"][0]
        self.assert_found(history, "a: 0 events instead of 1")

    def test_finds_one_that_took_place_twice(self):
        for name, position in (("a", 7), ("e", 7)):
            history = good()
            history["dump.log"] += [event(position, 300, name),
                                    event(position + 1, 300, name)]
            self.assert_found(history, f"{name}: ")

    def test_finds_half_of_one(self):
        history = good()
        del history["dump.log"][3]
        self.assert_found(history, "b: 1 events instead of 2")

    def test_finds_one_that_was_split(self):
        history = good()
        history["dump.log"][3], history["dump.log"][4] = (
            event(4, 195, "g"), event(5, 195, "b"))
        self.assert_found(history, "are not together")

    def test_finds_a_cancelled_one(self):
        history = good()
        history["dump.log"].append(event(7, 300, "c"))
        self.assert_found(history, "c was cancelled, and took place")

    def test_finds_one_that_is_early(self):
        history = good()
        history["dump.log"][2]["time"] = history["dump.log"][3]["time"] = 139
        self.assert_found(history, "1 us early")

    def test_finds_two_in_the_wrong_order(self):
        history = good()
        history["dump.log"][0]["name"] = "d"
        history["dump.log"][1]["name"] = "a"
        self.assert_found(history, "d, due at 100, took place before a")
        history = good()
        history["planner-1.log"][-1]["wall"] = 194
        self.assert_found(history, "g, due at 190, took place before f")

    def test_finds_that_a_cancelled_one_was_moved(self):
        history = good()
        history["planner-1.log"] += [{"ask": 7, "move": "c", "due": 900},
                                     told(7, 300)]
        self.assert_found(history, "was moved, and was not there")

    def test_finds_an_answer_that_there_is_none_of(self):
        history = good()
        history["planner-1.log"][2]["code"] = "FENCED"
        self.assert_found(history, "a was refused: FENCED")

    def test_finds_what_nobody_planned_and_time_that_goes_back(self):
        history = good()
        history["dump.log"].append(event(7, 10, "h"))
        self.assert_found(history, "nobody planned")
        self.assert_found(history, "time goes back")

    def test_judges_nothing_where_nothing_happened(self):
        with self.assertRaises(check.Malformed):
            self.judge({"dump.log": []})


if __name__ == "__main__":
    unittest.main()
