"""Consumer groups: what their members saw, and what became of the events.

A hand-out was made before it was received, and under a fence: those of one key
are put in order by their fences. An answer took effect between being sent and
being settled; one that was never settled may have, or not.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from itertools import accumulate

from group_log import FINAL, NEVER, GroupLog
from logs import Malformed, TooLittle


class Groups(GroupLog):
    LOGS = "worker-*.log"
    BESIDES = ("Noise",) # What is appended for it that it does not want.
    PROMISES = (
        "no event is lost",
        "events of a key come in order",
        "a key has one member at a time",
        "only what a member has is answered",
        "an event is handled once",
        "what was taken back is not answered",
        "an answer is refused for a reason",
        "what was settled is counted",
        "deliveries are counted",
        "what is parked stays until it is handled or dropped",
        "a group has what it wants",
        "at rest nothing is left",
    )

    def __init__(self, logs, stored, findings):
        super().__init__(logs, stored)
        self.findings = findings
        self.TYPE = self.rules["type"]

    # ---- what must hold ----

    def check_wanted(self):
        for hand in self.hands:
            if hand.position not in self.keys:
                self.findings.add("a group has what it wants",
                                  f"{hand}: the group does not want it")

    def check_nothing_lost(self):
        for position in self.keys:
            if self.drops[position]:
                continue
            if not any(answer.kind in FINAL and not answer.is_refused
                       for answer in self.answers_to[position]):
                self.findings.add("no event is lost",
                                  f"position {position} is lost: nobody "
                                  "handled it")

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
        for position in sorted(self.keys):
            positions[self.keys[position]].append(position)
        for key, hands in self.by_key.items():
            self.check_order_of(key, positions[key], hands)

    def check_order_of(self, key, positions, hands):
        over = [self.over_since(position) for position in positions]
        spent = [self.spent_since(position) for position in positions]
        all_over = list(accumulate(over, max)) # All up to this one.
        last = {}
        for hand in hands:
            index = bisect_left(positions, hand.position)
            while index > 0 and all_over[index - 1] >= hand.at:
                index -= 1
                before = positions[index]
                if over[index] >= hand.at and spent[index] >= hand.fence and (
                        not self.is_in_front(last.get(before), hand)):
                    self.findings.add("events of a key come in order",
                                      f"{hand}, before {before} of {key} was "
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
                    self.findings.add("a key has one member at a time",
                                      f"{key} was handed to two at once: "
                                      f"{before}, {after}")
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
                            self.findings.add("a key has one member at a time",
                                              f"{answer} was taken, after "
                                              f"{other}")

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
                self.findings.add("only what a member has is answered",
                                  f"{answer} was taken, and it did not have it")
        for position, hands in self.by_position.items():
            done = {}
            for answer in self.answers_to[position]:
                if not answer.is_accepted or answer.hand is None:
                    continue
                if answer.kind in FINAL:
                    life = answer.membership.life
                    if life in done:
                        self.findings.add("an event is handled once",
                                          f"{answer} was taken, and so was "
                                          f"{done[life]}")
                    done[life] = answer
            for hand in hands:
                first = done.get(hand.membership.life)
                if first is not None and hand.fence > first.fence:
                    self.findings.add("an event is handled once",
                                      f"{hand}, after {first} was taken")
                taken = [answer for answer in hand.answers
                         if answer.is_accepted]
                if len(taken) > 1:
                    self.findings.add("an event is handled once",
                                      f"{hand}: answered twice")

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
                        self.findings.add("what was taken back is not answered",
                                          f"{answer} was taken, after {end}")

    def check_refusals(self):
        """An answer is refused because it comes too late, or the event was
        dropped or taken back meanwhile, and for nothing else."""
        for answers, step in self.settles:
            plain = all(answer.kind != "up_to" for answer in answers)
            if plain and step["count"] != len(answers) - len(step["refused"]):
                self.findings.add("what was settled is counted",
                                  f"{step['count']} were settled of {step}")
        taken_back = self.first_taken_back()
        for answer in self.answers:
            hand = answer.hand
            if not answer.is_refused or hand is None:
                continue
            if answer.told - answer.membership.began >= self.rules["timeout"]:
                continue
            if any(step["sent"] < answer.told
                   for step in self.drops[hand.position]):
                continue
            if any(other.line <= answer.line and other is not answer
                   for other in hand.answers):
                continue
            key = answer.membership, self.keys.get(hand.position)
            if taken_back.get(key, NEVER) <= answer.line:
                continue
            self.findings.add("an answer is refused for a reason",
                              f"{answer} was refused for no reason")

    def first_taken_back(self):
        """When a member first gave back something of a key, which may take back
        more than that: its line, by member and key."""
        lines = {}
        for member in self.memberships.values():
            for hand in member.hands:
                for answer in hand.answers:
                    if answer.kind in ("retry", "park"):
                        key = member, self.keys.get(hand.position)
                        lines[key] = min(lines.get(key, NEVER), answer.line)
        return lines

    def check_deliveries(self):
        """The count of deliveries grows, within a life of the server: what was
        not saved is counted anew."""
        for hands in self.by_position.values():
            last = {}
            for hand in hands:
                before = last.get(hand.membership.life)
                if before is not None and hand.deliveries <= before.deliveries:
                    self.findings.add("deliveries are counted",
                                      f"{hand}: delivery {hand.deliveries}, "
                                      f"after {before.deliveries}")
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
                    self.findings.add(
                        "what is parked stays until it is handled or dropped",
                        f"position {position} was parked, and is not there "
                        f"any more at {step['at']}")
            for position in there:
                if position in known and self.is_gone(
                        position, known[position], step["list"]):
                    self.findings.add(
                        "what is parked stays until it is handled or dropped",
                        f"position {position} was parked and acked, and is "
                        f"still there at {step['at']}")
                known[position] = step["list"]
                if position not in self.keys:
                    self.findings.add("a group has what it wants",
                                      f"position {position} is parked, and is "
                                      "none of the group's")
        for answer in parkings:
            for hand in self.by_position[answer.position]:
                if hand.fence > answer.fence and not self.was_replayed(
                        hand.position, hand.at, answer.sent):
                    self.findings.add(
                        "what is parked stays until it is handled or dropped",
                        f"{hand}, after {answer}")

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
            if step["matching"] or step["in_hand"] or step["delayed"]:
                self.findings.add("at rest nothing is left",
                                  f"at rest with something to do: {step}")
            if step["position"] != step["head"] or step["events"] != 0:
                self.findings.add("at rest nothing is left",
                                  f"at rest, and not at the head: {step}")
        if rests[-1]["parked"] != 0:
            self.findings.add("at rest nothing is left",
                              f"at rest with {rests[-1]['parked']} parked")
        lists = [step for step in self.operator if "list" in step]
        if lists[-1]["parked"]:
            self.findings.add("at rest nothing is left",
                              f"at rest, and listed: {lists[-1]['parked'][:5]}")

    def judge(self):
        refused = [answer for answer in self.answers if answer.is_refused]
        counts = {
            "wanted": len(self.keys),
            "keys": len(self.by_key),
            "memberships": len(self.memberships),
            "lives": len({member.life
                          for member in self.memberships.values()}),
            "handed": len(self.hands),
            "answered": len(self.answers),
            "answers_refused": len(refused),
            "parked": sum(answer.kind == "park" and answer.is_accepted
                          for answer in self.answers),
            "dropped": len([steps for steps in self.drops.values() if steps]),
            "replayed": sum(len(steps) for steps in self.replays.values()),
        }
        self.check_wanted()
        self.check_nothing_lost()
        self.check_order()
        self.check_one_member()
        self.check_answers()
        self.check_taken_back()
        self.check_refusals()
        self.check_deliveries()
        self.check_parked()
        self.check_rest()
        if not self.findings.count() and not all(counts.values()):
            raise TooLittle(counts)
        return counts
