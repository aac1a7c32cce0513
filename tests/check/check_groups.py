#!/usr/bin/env python3
"""Judges what the members of a group saw, and what became of its events.

    check_groups.py DIRECTORY

As check.py. Times are microseconds of a clock that all share.

worker-*.log   One member, which joins again and again:
    {"join": M, "life", "at"}        It asks to be member M of this life of the
                                     server.
    {"handed": M, "fence", "positions": [P], "deliveries": [[INDEX, N]], "at"}
    {"answer": A, "membership": M, "items": [[KIND, FENCE, POSITION]], "at"}
    {"settled": A, "count", "refused": [INDEX], "at"}
    {"error": N, "code", "at"}       The answer to an answer or a join.
    {"left": M, "at"}, {"gone": M, "at"}
operator.log   Who looks after the group:
    {"group", "type", "key_tag", "waits", "timeout", "deliveries_max"}
    {"list": BEGAN, "parked": [[POSITION, STATE, DELIVERIES, KEY]], "at"}
    {"drop": [P], "sent", "count", "at"}
    {"replay": [P] or null, "sent"}  null: all
    {"rest": AT, "head", "position", "events", "matching", "in_hand",
     "delayed", "parked"}            All is handled.
dump.log       {"event": POSITION, "stream", "type", "tags"}

A hand-out was made before it was received, and under a fence: those of one key
are put in order by their fences. An answer took effect between being sent and
being settled; one that was never settled may have, or not.
"""

import glob
import sys
from bisect import bisect_right
from collections import defaultdict

from check import Malformed, by_number, lines, run

NEVER = float("inf")
FINAL = ("ack", "up_to", "skip")


class Membership:
    def __init__(self, name, life, began):
        self.name, self.life, self.began = name, life, began
        self.hands = []

    def __str__(self):
        return self.name


class Hand:
    """An event that was handed out."""

    def __init__(self, membership, line, step, position, deliveries):
        self.membership, self.line = membership, line
        self.position, self.deliveries = position, deliveries
        self.fence, self.at = step["fence"], step["at"]
        self.seq = len(membership.hands)
        self.answers = []

    def __str__(self):
        return (f"position {self.position}, handed to {self.membership} under "
                f"{self.fence}")


class Answer:
    """One item of what a member answered. told: when it learned what came of
    it; NEVER if it did not. is_accepted, is_refused: so it learned."""

    def __init__(self, membership, line, step, item):
        self.membership, self.line = membership, line
        self.kind, self.fence, self.position = item
        self.sent, self.told, self.told_line = step["at"], NEVER, NEVER
        self.is_accepted = self.is_refused = False
        self.hand = None

    def tell(self, line, step, is_accepted):
        self.told, self.told_line = step["at"], line
        self.is_accepted, self.is_refused = is_accepted, not is_accepted

    def __str__(self):
        return (f"{self.kind} of position {self.position} by {self.membership} "
                f"under {self.fence}")


class Groups:
    def __init__(self, directory):
        self.problems = []
        self.memberships = {}
        self.hands = []
        self.answers = []
        self.settles = []   # ([Answer], step)
        operator = list(lines(f"{directory}/operator.log"))
        self.rules = operator[0]
        self.operator = operator[1:]
        self.keys = {}
        for step in lines(f"{directory}/dump.log"):
            if step["type"] == self.rules["type"]:
                self.keys[step["event"]] = self.key_of(step)
        for path in sorted(glob.glob(f"{directory}/worker-*.log"),
                           key=by_number):
            self.read_worker(f"worker {by_number(path)[-1]}",
                             list(lines(path)))
        self.index()

    def problem(self, text):
        self.problems.append(text)

    def key_of(self, event):
        prefix = self.rules["key_tag"]
        for tag in event["tags"] if prefix else ():
            if tag.startswith(prefix):
                return tag
        return event["stream"]

    # ---- reading ----

    def read_worker(self, name, steps):
        mine, asked = {}, {}
        for line, step in enumerate(steps):
            if "join" in step:
                member = Membership(f"{name}.{step['join']}", step["life"],
                                    step["at"])
                mine[step["join"]] = member
                self.memberships[member.name] = member
            elif "handed" in step:
                self.read_handed(mine[step["handed"]], line, step)
            elif "answer" in step:
                member = mine[step["membership"]]
                items = [Answer(member, line, step, item)
                         for item in step["items"]]
                asked[step["answer"]] = items
                self.answers += items
            elif "settled" in step:
                self.read_settled(asked[step["settled"]], line, step)
            elif "error" in step:
                for answer in asked.get(step["error"], ()):
                    answer.tell(line, step, False)
            elif "left" not in step and "gone" not in step:
                raise Malformed(f"{name}: {step}")

    def read_handed(self, member, line, step):
        counts = dict(step["deliveries"])
        for index, position in enumerate(step["positions"]):
            hand = Hand(member, line, step, position, counts.get(index, 1))
            member.hands.append(hand)
            self.hands.append(hand)
            if position not in self.keys:
                self.problem(f"{hand}: the group does not want it")

    def read_settled(self, answers, line, step):
        refused = set(step["refused"])
        for index, answer in enumerate(answers):
            answer.tell(line, step, index not in refused)
        self.settles.append((answers, step))

    def index(self):
        """Who had what, and what was answered of it."""
        self.hands.sort(key=lambda hand: (hand.fence, hand.membership.name,
                                          hand.seq))
        self.by_key = defaultdict(list)
        self.by_position = defaultdict(list)
        for hand in self.hands:
            self.by_position[hand.position].append(hand)
            if hand.position in self.keys:
                self.by_key[self.keys[hand.position]].append(hand)
        self.answers_to = defaultdict(list)
        for answer in self.answers:
            for hand in self.by_position[answer.position]:
                if hand.membership is answer.membership and (
                        hand.fence == answer.fence):
                    answer.hand = hand
                    hand.answers.append(answer)
                    break
            self.answers_to[answer.position].append(answer)
            if answer.kind == "up_to" and answer.hand is not None:
                self.spread(answer)
        # Those that were found parked after their last delivery, which may never
        # have been received.
        self.spent = {entry[0] for step in self.operator if "list" in step
                      for entry in step["parked"]
                      if entry[2] >= self.rules["deliveries_max"]}
        self.drops = defaultdict(list)
        self.replays = defaultdict(list)
        for step in self.operator:
            for position in step.get("drop") or ():
                if step["count"]:
                    self.drops[position].append(step)
            if "replay" in step:
                self.replays[(step["replay"] or [None])[0]].append(step)

    @staticmethod
    def at_once(answer, hand):
        """The part of an "up to" that is about an event before its own: whether
        the member still had that is not said."""
        part = Answer(answer.membership, answer.line, {"at": answer.sent},
                      (answer.kind, hand.fence, hand.position))
        part.hand = hand
        part.is_refused = answer.is_refused
        return part

    def spread(self, answer):
        for hand in answer.membership.hands[:answer.hand.seq]:
            if hand.line < answer.line:
                part = self.at_once(answer, hand)
                hand.answers.append(part)
                self.answers_to[hand.position].append(part)

    # ---- what must hold ----

    def check_nothing_lost(self):
        for position in self.keys:
            if self.drops[position]:
                continue
            if not any(answer.kind in FINAL and not answer.is_refused
                       for answer in self.answers_to[position]):
                self.problem(f"position {position} is lost: nobody handled it")

    def was_replayed(self, position, before, after=-1):
        return any(after < step["sent"] < before
                   for step in self.replays[position] + self.replays[None])

    def over_since(self, position):
        """The first time that it may have been done with, so that the event no
        longer holds up those behind it."""
        times = [step["sent"] for step in self.drops[position]]
        kinds = FINAL if self.rules["waits"] else (*FINAL, "park")
        times += [answer.sent for answer in self.answers_to[position]
                  if answer.kind in kinds and not answer.is_refused]
        if not self.rules["waits"] and position in self.spent:
            times.append(0)
        return min(times, default=NEVER)

    def spent_since(self, position):
        """The fence of its last delivery: the server may have parked it by
        itself since, which holds up nothing if the key goes on."""
        fences = [hand.fence for hand in self.by_position[position]
                  if hand.deliveries >= self.rules["deliveries_max"]]
        return NEVER if self.rules["waits"] else min(fences, default=NEVER)

    def is_in_front(self, last, hand):
        """True if the member of @hand has the event of @last in hand."""
        return (last is not None and last.membership is hand.membership and
                not any(answer.is_accepted and answer.told_line < hand.line
                        for answer in last.answers))

    def check_order(self):
        """An event is handed out when all before it of its key are done, or
        were handed to the same member, which still has them."""
        positions = defaultdict(list)
        over, spent = {}, {}
        for position in sorted(self.keys):
            positions[self.keys[position]].append(position)
            over[position] = self.over_since(position)
            spent[position] = self.spent_since(position)
        for key, hands in self.by_key.items():
            last = {}
            for hand in hands:
                for position in positions[key]:
                    if position >= hand.position:
                        break
                    if over[position] >= hand.at and (
                            spent[position] >= hand.fence and
                            not self.is_in_front(last.get(position), hand)):
                        self.problem(f"{hand}, before {position} of {key} was "
                                     f"done")
                        break
                last[hand.position] = hand

    def check_one_member(self):
        """Once another member has a key, under a greater fence, no answer to
        what was handed out before is taken."""
        for key, hands in self.by_key.items():
            for before, after in zip(hands, hands[1:]):
                if before.fence == after.fence and (
                        before.membership is not after.membership):
                    self.problem(f"{key} was handed to two at once: {before}, "
                                 f"{after}")
            received = self.first_received(hands)
            for hand in hands:
                for answer in hand.answers:
                    if not answer.is_accepted:
                        continue
                    behind = bisect_right(hands, answer.fence,
                                          key=lambda hand: hand.fence)
                    for other in received[behind]:
                        if other.at < answer.sent and (
                                other.membership is not answer.membership):
                            self.problem(f"{answer} was taken, after {other}")

    @staticmethod
    def first_received(hands):
        """For each index the hand-out of hands[index:] that was received first,
        and the first of another member."""
        found = [[]]
        for hand in reversed(hands):
            first = sorted([hand, *found[-1]], key=lambda hand: hand.at)
            other = [later for later in first[1:]
                     if later.membership is not first[0].membership]
            found.append([first[0], *other[:1]])
        return found[::-1]

    def check_answers(self):
        for answer in self.answers:
            if answer.is_accepted and answer.hand is None:
                self.problem(f"{answer} was taken, and it did not have it")
        for position, hands in self.by_position.items():
            done = {}
            for answer in self.answers_to[position]:
                if not answer.is_accepted or answer.hand is None:
                    continue
                if answer.kind in FINAL:
                    life = answer.membership.life
                    if life in done:
                        self.problem(f"{answer} was taken, and so was "
                                     f"{done[life]}")
                    done[life] = answer
            for hand in hands:
                first = done.get(hand.membership.life)
                if first is not None and hand.fence > first.fence:
                    self.problem(f"{hand}, after {first} was taken")
                taken = [answer for answer in hand.answers
                         if answer.is_accepted]
                if len(taken) > 1:
                    self.problem(f"{hand}: answered twice")

    def check_taken_back(self):
        """A retry, and a parking if others wait for it, takes back what the
        member has of the key behind that event; no answer to it is taken. (The
        last retry is a parking.)"""
        ends = ("retry", "park") if self.rules["waits"] else ("retry",)
        for member in self.memberships.values():
            by_key = defaultdict(list)
            for hand in member.hands:
                if hand.position in self.keys:
                    by_key[self.keys[hand.position]].append(hand)
            for hands in by_key.values():
                self.check_taken_back_of(hands, ends)

    def check_taken_back_of(self, hands, ends):
        back = [answer for hand in hands for answer in hand.answers
                if answer.is_accepted and answer.kind in ends and (
                    self.rules["waits"] or
                    hand.deliveries < self.rules["deliveries_max"])]
        for hand in hands:
            for answer in hand.answers:
                if not answer.is_accepted:
                    continue
                for end in back:
                    if end.told_line < answer.line and (
                            end.position < hand.position and
                            end.hand.seq < hand.seq and hand.line < end.line):
                        self.problem(f"{answer} was taken, after {end}")

    def check_refusals(self):
        """An answer is refused because it comes too late, or the event was
        dropped meanwhile, and for nothing else."""
        for answers, step in self.settles:
            plain = all(answer.kind != "up_to" for answer in answers)
            if plain and step["count"] != len(answers) - len(step["refused"]):
                self.problem(f"{step['count']} were settled of {step}")
        for answer in self.answers:
            hand = answer.hand
            if not answer.is_refused or hand is None:
                continue
            if answer.told - answer.membership.began >= self.rules["timeout"]:
                continue
            if any(step["sent"] < answer.told
                   for step in self.drops[hand.position]):
                continue
            key = self.keys.get(hand.position)
            if any(other.line <= answer.line and other is not answer
                   for other in hand.answers):
                continue
            if any(other.kind in ("retry", "park") and
                   other.line <= answer.line and
                   self.keys.get(other.position) == key
                   for other_hand in answer.membership.hands
                   for other in other_hand.answers):
                continue
            self.problem(f"{answer} was refused for no reason")

    def check_deliveries(self):
        """The count of deliveries grows, within a life of the server: what was
        not saved is counted anew."""
        for hands in self.by_position.values():
            last = {}
            for hand in hands:
                before = last.get(hand.membership.life)
                if before is not None and hand.deliveries <= before.deliveries:
                    self.problem(f"{hand}: delivery {hand.deliveries}, after "
                                 f"{before.deliveries}")
                last[hand.membership.life] = hand

    # ---- parked events ----

    def check_parked(self):
        """What is parked is there, until it is acked or dropped."""
        known = {}
        parkings = sorted((answer for answer in self.answers
                           if answer.kind == "park" and answer.is_accepted),
                          key=lambda answer: answer.told)
        for step in self.operator:
            if "list" not in step:
                continue
            there = {entry[0] for entry in step["parked"]}
            for answer in parkings:
                if answer.told < step["list"]:
                    known[answer.position] = max(
                        known.get(answer.position, 0), answer.sent)
            for position, since in known.items():
                if position not in there and not self.may_be_gone(
                        position, since, step["at"]):
                    self.problem(f"position {position} was parked, and is not "
                                 f"there any more at {step['at']}")
            for position in there:
                if position in known and self.is_gone(
                        position, known[position], step["list"]):
                    self.problem(f"position {position} was parked and acked, "
                                 f"and is still there at {step['at']}")
                known[position] = step["list"]
                if position not in self.keys:
                    self.problem(f"position {position} is parked, and is none "
                                 f"of the group's")
        for answer in parkings:
            for hand in self.by_position[answer.position]:
                if hand.fence > answer.fence and not self.was_replayed(
                        hand.position, hand.at, answer.sent):
                    self.problem(f"{hand}, after {answer}")

    def may_be_gone(self, position, since, at):
        return any(step["sent"] < at for step in self.drops[position]) or any(
            answer.kind in FINAL and not answer.is_refused and
            answer.sent < at and answer.told >= since
            for answer in self.answers_to[position])

    def is_gone(self, position, since, before):
        return any(answer.kind in FINAL and answer.is_accepted and
                   answer.sent > since and answer.told < before
                   for answer in self.answers_to[position])

    def check_rest(self):
        rests = [step for step in self.operator if "rest" in step]
        if not rests:
            raise Malformed("it never came to rest")
        for step in rests:
            if (step["matching"], step["in_hand"], step["delayed"]) != (0, 0, 0):
                self.problem(f"at rest with something to do: {step}")
            if step["position"] != step["head"] or step["events"] != 0:
                self.problem(f"at rest, and not at the head: {step}")
        if rests[-1]["parked"] != 0:
            self.problem(f"at rest with {rests[-1]['parked']} parked")
        lists = [step for step in self.operator if "list" in step]
        if lists[-1]["parked"]:
            self.problem(f"at rest, and listed: {lists[-1]['parked'][:5]}")

    def check(self):
        refused = [answer for answer in self.answers if answer.is_refused]
        counts = {
            "events": len(self.keys),
            "keys": len(self.by_key),
            "memberships": len(self.memberships),
            "lives": len({member.life
                          for member in self.memberships.values()}),
            "handed": len(self.hands),
            "answered": len(self.answers),
            "refused": len(refused),
            "parked": sum(answer.kind == "park" and answer.is_accepted
                          for answer in self.answers),
            "dropped": len([steps for steps in self.drops.values() if steps]),
            "replayed": sum(len(steps) for steps in self.replays.values()),
        }
        self.check_nothing_lost()
        self.check_order()
        self.check_one_member()
        self.check_answers()
        self.check_taken_back()
        self.check_refusals()
        self.check_deliveries()
        self.check_parked()
        self.check_rest()
        if not self.problems and not all(counts.values()):
            raise Malformed(f"too little has happened: {counts}")
        return counts, self.problems


if __name__ == "__main__":
    sys.exit(run(Groups))
