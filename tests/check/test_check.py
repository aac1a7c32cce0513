#!/usr/bin/env python3
"""The checker finds nothing in a good history, and each kind of damage in one
that was good before."""

import copy
import json
import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import check


def sent(number):
    return {"id": f"id-{number}", "type": f"Type{number % 2}", "tags": ["t"],
            "metadata": "6d", "data": f"{number:04x}"}


def stored(number, stream, version):
    return {**sent(number), "position": number, "version": version,
            "time": 1000 + number, "stream": stream}


def run(write, version, position, count):
    return {"write": write, "version": version, "position": position,
            "count": count}


def good():
    """Five events in two streams; one append of each outcome."""
    log = [stored(1, "a", 1), stored(2, "a", 2), stored(3, "b", 1),
           stored(4, "a", 3), stored(5, "b", 2)]
    done = {"code": "OK", "repeated": False, "failures": []}
    conflict = {"write": 0, "expected": 0, "actual": 2}
    odd = [event for event in log if event["type"] == "Type1"]
    return {
        "append-1.log": [
            {"append": 1, "writes": [
                {"stream": "a", "expected": 0, "events": [sent(1), sent(2)]},
                {"stream": "b", "expected": -1, "events": [sent(3)]}]},
            {"answer": 1, **done, "runs": [run(0, 1, 1, 2), run(1, 1, 3, 1)]},
            {"look": "a", "version": 2, "found": copy.deepcopy(log[1])},
            {"append": 2, "writes": [
                {"stream": "a", "expected": 0, "events": [sent(90)]}]},
            {"answer": 2, "code": "CONFLICT", "repeated": False, "runs": [],
             "failures": [conflict]},
        ],
        "append-2.log": [
            {"append": 1, "writes": [
                {"stream": "a", "expected": 2, "events": [sent(4)]},
                {"stream": "b", "expected": -2, "events": [sent(5)]}]},
            {"answer": 1, "code": "UNKNOWN", "repeated": False, "runs": [],
             "failures": []},
        ],
        "follow-1.log": [
            {"follow": 0, "type": None},
            {"event": copy.deepcopy(log[0])}, {"event": copy.deepcopy(log[1])},
            {"position": 2},
            {"follow": 2, "type": None},
            *[{"event": copy.deepcopy(event)} for event in log[2:]],
            {"position": 5},
            {"reach": 5},
        ],
        "follow-2.log": [
            {"follow": 0, "type": "Type1"},
            *[{"event": copy.deepcopy(event)} for event in odd],
            {"position": 5},
            {"reach": 5},
        ],
        "dump-1.log": [
            *[{"event": copy.deepcopy(event)} for event in log[:3]],
            {"head": 3},
        ],
        "dump-2.log": [
            *[{"event": copy.deepcopy(event)} for event in log],
            {"list": "stream", "name": "a", "backward": True,
             "positions": [4, 2, 1]},
            {"list": "type", "name": "Type1", "backward": False,
             "positions": [1, 3, 5]},
            {"list": "tag", "name": "t", "backward": False,
             "positions": [1, 2, 3, 4, 5]},
            {"head": 5},
        ],
    }


class Checker(unittest.TestCase):
    def judge(self, history):
        with tempfile.TemporaryDirectory() as directory:
            for name, steps in history.items():
                with open(os.path.join(directory, name), "w",
                          encoding="utf-8") as file:
                    file.writelines(json.dumps(step) + "\n" for step in steps)
            return check.History(directory).check()

    def assert_found(self, history, text):
        problems = self.judge(history)["first_problems"]
        self.assertTrue(any(text in problem for problem in problems), problems)

    def test_finds_nothing_in_a_good_history(self):
        result = self.judge(good())
        self.assertEqual(result["first_problems"], [])
        self.assertEqual(
            (result["acknowledged"], result["refused"], result["unknown"]),
            (1, 1, 1))

    def test_finds_an_acknowledged_event_that_is_lost(self):
        history = good()
        del history["dump-2.log"][4]
        history["dump-2.log"][-1]["head"] = 4
        del history["dump-2.log"][3]
        history["append-2.log"][1]["code"] = "OK"
        self.assert_found(history, "are lost")

    def test_finds_bytes_that_are_not_what_was_sent(self):
        for name in ("data", "metadata", "type"):
            history = good()
            history["dump-2.log"][1]["event"][name] = "ff"
            self.assert_found(history, "is not what was sent")

    def test_finds_an_event_in_another_stream(self):
        history = good()
        history["dump-2.log"][2]["event"]["stream"] = "c"
        self.assert_found(history, "instead of b")

    def test_finds_an_event_that_is_there_twice(self):
        history = good()
        twice = {**stored(1, "a", 4), "position": 6, "time": 2000}
        history["dump-2.log"].insert(5, {"event": twice})
        self.assert_found(history, "is stored 2 times")

    def test_finds_an_event_that_nobody_sent(self):
        history = good()
        history["dump-2.log"].insert(5, {"event": stored(6, "a", 4)})
        self.assert_found(history, "nobody sent it")

    def test_finds_a_gap_in_positions(self):
        history = good()
        history["dump-2.log"][4]["event"]["position"] = 6
        self.assert_found(history, "stands where 5 is due")

    def test_finds_a_gap_in_versions(self):
        history = good()
        history["dump-2.log"][3]["event"]["version"] = 4
        self.assert_found(history, "where 3 is due")

    def test_finds_a_head_that_is_not_the_end(self):
        history = good()
        history["dump-2.log"][-1]["head"] = 6
        self.assert_found(history, "head is 6")

    def test_finds_time_that_goes_back(self):
        history = good()
        history["dump-2.log"][3]["event"]["time"] = 1
        self.assert_found(history, "time goes back")

    def test_finds_what_changed_between_two_reads(self):
        history = good()
        history["dump-1.log"][1]["event"]["time"] += 1
        self.assert_found(history, "has changed")

    def test_finds_what_was_read_and_is_gone(self):
        history = good()
        history["dump-1.log"] = history["dump-2.log"][:5] + [
            {"event": stored(6, "a", 4)}, {"head": 6}]
        self.assert_found(history, "dump 1 had 6 events")

    def test_finds_a_list_that_does_not_agree_with_the_log(self):
        for index in (5, 6, 7):
            history = good()
            history["dump-2.log"][index]["positions"].reverse()
            self.assert_found(history, "in another order")

    def test_finds_a_refused_event_that_is_stored(self):
        history = good()
        history["append-2.log"][1]["code"] = "FULL"
        self.assert_found(history, "refused, and 2 of 2")

    def test_finds_a_refusal_of_what_was_in_doubt_that_is_stored(self):
        history = good()
        history["append-2.log"].append(
            {"answer": 1, "code": "CONFLICT", "repeated": False, "runs": [],
             "failures": [{"write": 0, "expected": 2, "actual": 3}]})
        self.assert_found(history, "refused, and 2 of 2")

    def test_finds_half_of_an_append(self):
        history = good()
        history["append-2.log"][0]["writes"][0]["events"].append(sent(91))
        self.assert_found(history, "half of it")

    def test_finds_an_append_that_was_split(self):
        history = good()
        history["append-1.log"][0]["writes"][1]["events"] = [sent(5)]
        history["append-2.log"][0]["writes"][1]["events"] = [sent(3)]
        self.assert_found(history, "are not together")

    def test_finds_an_answer_that_names_another_place(self):
        history = good()
        history["append-1.log"][1]["runs"][0]["version"] = 2
        self.assert_found(history, "and is elsewhere")

    def test_finds_an_expectation_that_did_not_hold(self):
        history = good()
        history["append-2.log"][0]["writes"][0]["expected"] = 1
        self.assert_found(history, "expected 1 and got version 3")

    def test_finds_a_stream_that_was_expected_and_was_not_there(self):
        history = good()
        history["append-1.log"][0]["writes"][1]["expected"] = -2
        self.assert_found(history, "began it")

    def test_finds_two_winners_of_a_version(self):
        history = good()
        history["append-2.log"][1] = {
            "answer": 1, "code": "OK", "repeated": False, "failures": [],
            "runs": [run(0, 2, 4, 1), run(1, 2, 5, 1)]}
        self.assert_found(history, "was won by")

    def test_finds_a_refusal_without_a_winner(self):
        history = good()
        history["append-1.log"][4]["failures"][0]["actual"] = 0
        self.assert_found(history, "refused although")
        history["append-1.log"][4]["failures"][0]["actual"] = 9
        self.assert_found(history, "which ends at 3")
        history["append-1.log"][4]["failures"] = []
        self.assert_found(history, "without a reason")

    def test_finds_that_an_acknowledged_event_could_not_be_read(self):
        history = good()
        history["append-1.log"][2]["found"] = None
        self.assert_found(history, "could not be read")

    def test_finds_that_something_else_was_read(self):
        history = good()
        history["append-1.log"][2]["found"]["position"] = 1
        self.assert_found(history, "is not so any more")

    def test_finds_an_event_that_a_subscriber_missed(self):
        history = good()
        del history["follow-1.log"][5]
        self.assert_found(history, "due was 3")

    def test_finds_an_event_that_a_subscriber_got_twice(self):
        history = good()
        history["follow-1.log"].insert(2, history["follow-1.log"][1])
        self.assert_found(history, "came after 1")

    def test_finds_events_out_of_order(self):
        history = good()
        steps = history["follow-1.log"]
        steps[5], steps[6] = steps[6], steps[5]
        self.assert_found(history, "due was 3")

    def test_finds_that_a_subscriber_got_something_else(self):
        history = good()
        history["follow-1.log"][1]["event"]["data"] = "ff"
        self.assert_found(history, "with other content")

    def test_finds_an_event_that_the_filter_does_not_want(self):
        history = good()
        history["follow-2.log"].insert(2, {"event": stored(2, "a", 2)})
        self.assert_found(history, "due was 3")

    def test_finds_a_position_that_is_told_too_early(self):
        history = good()
        history["follow-2.log"].insert(2, {"position": 4})
        self.assert_found(history, "told 4 without position 3")

    def test_finds_a_position_that_goes_back(self):
        history = good()
        history["follow-1.log"].insert(-1, {"position": 4})
        self.assert_found(history, "told 4 after 5")

    def test_finds_a_subscriber_that_did_not_get_to_the_end(self):
        history = good()
        history["follow-1.log"] = history["follow-1.log"][:4] + [{"reach": 5}]
        self.assert_found(history, "got to 2, not to 5")

    def test_finds_a_subscription_that_the_server_ended(self):
        history = good()
        history["follow-1.log"].insert(4, {"ended": "INVALID"})
        self.assert_found(history, "ended by the server")

    def test_judges_nothing_that_is_no_history(self):
        for name, step in (("dump-2.log", None), ("append-1.log", {"x": 1}),
                           ("follow-1.log", {"follow": 4, "type": None})):
            history = good()
            if step is None:
                del history[name][-1]
            else:
                history[name].append(step)
            with self.assertRaises(check.Malformed):
                self.judge(history)


if __name__ == "__main__":
    unittest.main()
