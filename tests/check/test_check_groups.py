#!/usr/bin/env python3
"""The checker of groups finds nothing in a good history, and each fault in one
that was good before."""

import json
import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import check
from check_groups import Groups

TIMEOUT = 1000


def join(member, at, life="one"):
    return {"join": member, "life": life, "at": at}


def handed(member, fence, at, *positions, deliveries=()):
    return {"handed": member, "fence": fence, "positions": list(positions),
            "deliveries": list(deliveries), "at": at}


def answer(number, member, at, *items):
    return {"answer": number, "membership": member, "at": at,
            "items": [list(item) for item in items]}


def settled(number, at, count, *refused):
    return {"settled": number, "count": count, "refused": list(refused),
            "at": at}


def rest(at):
    return {"rest": at, "head": 8, "position": 8, "events": 0, "matching": 0,
            "in_hand": 0, "delayed": 0, "parked": 0}


def good():
    """Streams a (1, 3, 5, 6, 8) and b (2, 7); 4 is not wanted. The first member
    acks 1, retries 3 and gets it again, dies with 5, and has parked 2. The
    second acks 5 and 6, the server is killed before that is saved, and it does
    so again, by an "up to". 2 is replayed and acked, and 7, which waited behind
    it, comes and is dropped; 8 is skipped."""
    return {
        "worker-1.log": [
            join(1, 10), handed(1, 1, 20, 1, 3, 2),
            answer(2, 1, 30, ("ack", 1, 1), ("retry", 1, 3)),
            settled(2, 40, 2),
            answer(3, 1, 42, ("ack", 1, 1)), settled(3, 44, 0, 0),
            handed(1, 2, 50, 3, deliveries=[[0, 2]]),
            answer(4, 1, 60, ("ack", 2, 3), ("park", 1, 2)),
            settled(4, 70, 2),
            handed(1, 3, 80, 5), {"gone": 1, "at": 90},
        ],
        "worker-2.log": [
            join(1, 11), handed(1, 4, 100, 5, 6, deliveries=[[0, 2]]),
            answer(2, 1, 110, ("ack", 4, 5), ("ack", 4, 6)),
            settled(2, 120, 2), {"gone": 1, "at": 130},
            join(3, 200, "two"), handed(3, 11, 210, 5, 6),
            answer(4, 3, 220, ("up_to", 11, 6)), settled(4, 230, 2),
            answer(5, 3, 235, ("ack", 4, 6)), settled(5, 238, 0, 0),
            handed(3, 12, 320, 2, deliveries=[[0, 2]]),
            answer(6, 3, 330, ("ack", 12, 2)), settled(6, 340, 1),
            handed(3, 13, 350, 8),
            answer(7, 3, 360, ("skip", 13, 8)), settled(7, 370, 1),
        ],
        "operator.log": [
            {"group": "g", "type": "T", "key_tag": "", "waits": True,
             "timeout": TIMEOUT, "deliveries_max": 4},
            {"list": 240, "parked": [[2, 0, 1, "b"]], "at": 250},
            {"replay": [2], "sent": 300, "count": 1, "at": 310},
            {"list": 342, "parked": [[7, 1, 0, "b"]], "at": 344},
            {"drop": [7], "sent": 380, "count": 1, "at": 390},
            rest(400),
            {"list": 410, "parked": [], "at": 420},
        ],
        "dump.log": [
            {"event": position, "stream": "b" if position in (2, 7) else "a",
             "type": "F" if position == 4 else "T", "tags": ["k:1"]}
            for position in range(1, 9)
        ],
    }


def goes_on():
    """The same group, where 6 goes on behind 5, which is parked."""
    history = good()
    history["operator.log"][0]["waits"] = False
    history["worker-2.log"][2:4] = [
        answer(2, 1, 110, ("park", 4, 5)), settled(2, 120, 1),
        handed(1, 5, 122, 6, deliveries=[[0, 2]])]
    history["operator.log"][1]["parked"].append([5, 0, 2, "a"])
    history["operator.log"].insert(
        1, {"replay": None, "sent": 150})
    history["operator.log"][4]["parked"].clear()
    return history


class Checker(unittest.TestCase):
    def judge(self, history):
        with tempfile.TemporaryDirectory() as directory:
            for name, steps in history.items():
                with open(os.path.join(directory, name), "w",
                          encoding="utf-8") as file:
                    file.writelines(json.dumps(step) + "\n" for step in steps)
            return Groups(directory).check()

    def assert_found(self, history, text):
        _, problems = self.judge(history)
        self.assertTrue(any(text in problem for problem in problems), problems)

    def test_finds_nothing_in_a_good_history(self):
        counts, problems = self.judge(good())
        self.assertEqual(problems, [])
        self.assertEqual((counts["events"], counts["keys"], counts["parked"]),
                         (7, 2, 1))

    def test_finds_nothing_where_keys_go_on(self):
        _, problems = self.judge(goes_on())
        self.assertEqual(problems, [])

    def test_finds_a_lost_event(self):
        history = good()
        history["worker-2.log"][16]["refused"] = [0]
        self.assert_found(history, "position 8 is lost")

    def test_finds_a_dropped_event_that_was_not_there_to_be_dropped(self):
        history = good()
        history["operator.log"][4]["drop"] = [4]
        self.assert_found(history, "position 7 is lost")

    def test_finds_an_event_that_overtakes_another(self):
        history = good()
        history["worker-1.log"][9]["positions"] = [6]
        self.assert_found(history, "before 5 of a was done")

    def test_finds_an_event_that_comes_after_one_that_was_retried(self):
        history = good()
        history["worker-1.log"][6]["positions"] = [5]
        self.assert_found(history, "before 3 of a was done")

    def test_finds_an_event_that_does_not_wait_behind_a_parked_one(self):
        history = good()
        history["worker-1.log"][9]["positions"] = [5, 7]
        self.assert_found(history, "before 2 of b was done")

    def test_finds_the_order_of_tags(self):
        history = good()
        history["operator.log"][0]["key_tag"] = "k:"
        self.assert_found(history, "before 2 of k:1 was done")

    def test_finds_a_key_with_two_members(self):
        history = good()
        history["worker-1.log"].insert(10, answer(5, 1, 105, ("ack", 3, 5)))
        history["worker-1.log"].insert(11, settled(5, 106, 1))
        self.assert_found(history, "was taken, after position 5")

    def test_finds_a_key_that_is_handed_to_two_at_once(self):
        history = good()
        history["worker-2.log"][1]["fence"] = 3
        for item in history["worker-2.log"][2]["items"]:
            item[1] = 3
        self.assert_found(history, "handed to two at once")

    def test_finds_an_answer_to_nothing_that_was_taken(self):
        history = good()
        history["worker-2.log"][10]["refused"] = []
        history["worker-2.log"][10]["count"] = 1
        self.assert_found(history, "it did not have it")

    def test_finds_a_second_answer_that_was_taken(self):
        history = good()
        history["worker-1.log"][5]["refused"] = []
        history["worker-1.log"][5]["count"] = 1
        self.assert_found(history, "answered twice")

    def test_finds_an_event_that_comes_back_after_its_ack(self):
        history = good()
        history["worker-1.log"][9]["positions"] = [3]
        self.assert_found(history, "of position 3 by worker 1.1 under 2 was "
                                   "taken")

    def test_finds_an_answer_to_what_was_taken_back(self):
        history = good()
        history["worker-1.log"][1]["positions"] = [1, 3, 5, 2]
        history["worker-1.log"].insert(4, answer(9, 1, 41, ("ack", 1, 5)))
        history["worker-1.log"].insert(5, settled(9, 41, 1))
        self.assert_found(history, "was taken, after retry of position 3")

    def test_finds_an_answer_that_is_refused_for_no_reason(self):
        history = good()
        history["worker-2.log"][13]["refused"] = [0]
        history["worker-2.log"][13]["count"] = 0
        self.assert_found(history, "refused for no reason")
        history["worker-2.log"][13]["at"] += TIMEOUT
        _, problems = self.judge(history)
        self.assertFalse(any("no reason" in text for text in problems))

    def test_finds_a_count_that_is_not_that_of_the_answers(self):
        history = good()
        history["worker-1.log"][3]["count"] = 1
        self.assert_found(history, "1 were settled of")

    def test_finds_a_count_of_deliveries_that_does_not_grow(self):
        history = good()
        history["worker-1.log"][6]["deliveries"] = []
        self.assert_found(history, "delivery 1, after 1")

    def test_finds_a_parked_event_that_is_gone(self):
        history = good()
        history["operator.log"][1]["parked"].clear()
        self.assert_found(history, "position 2 was parked, and is not there")

    def test_finds_a_listed_event_that_is_gone(self):
        history = good()
        history["operator.log"][4]["drop"] = [4]
        self.assert_found(history, "position 7 was parked, and is not there")

    def test_finds_a_parked_event_that_stays_after_its_ack(self):
        history = good()
        history["operator.log"][3]["parked"].append([2, 2, 2, "b"])
        self.assert_found(history, "parked and acked")

    def test_finds_a_parked_event_that_nobody_replayed(self):
        history = good()
        del history["operator.log"][2]
        history["operator.log"].insert(
            2, {"replay": [9], "sent": 300, "count": 0, "at": 310})
        self.assert_found(history, "handed to worker 2.3 under 12, after park")

    def test_finds_an_event_that_the_group_does_not_want(self):
        history = good()
        history["worker-1.log"][1]["positions"].append(4)
        self.assert_found(history, "does not want it")

    def test_finds_a_rest_that_is_none(self):
        for name in ("events", "matching", "in_hand", "delayed", "parked"):
            history = good()
            history["operator.log"][5][name] = 1
            self.assert_found(history, "at rest")

    def test_judges_nothing_where_nothing_happened(self):
        history = good()
        history["operator.log"] = [step for step in history["operator.log"]
                                   if "rest" not in step]
        with self.assertRaises(check.Malformed):
            self.judge(history)
        history = good()
        for name in ("worker-1.log", "worker-2.log"): # None is refused.
            history[name] = [step for step in history[name]
                             if step.get("refused") != [0]]
        with self.assertRaises(check.Malformed):
            self.judge(history)


if __name__ == "__main__":
    unittest.main()
