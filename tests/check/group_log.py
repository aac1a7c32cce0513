"""What the members of a group wrote down, put together: who had what, and what
was answered of it."""

from collections import defaultdict

from logs import Malformed

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


class GroupLog:
    """All of it, indexed."""

    def __init__(self, logs, stored):
        self.memberships = {}
        self.hands = []
        self.answers = []
        self.settles = []   # ([Answer], step)
        self.operator = list(logs.steps(*logs.paths("operator.log")))
        self.rules = self.operator.pop(0)
        kind = self.rules["type"]
        self.keys = {event.position: self.key_of(event)
                     for event in stored.log if event.type == kind}
        for path in logs.paths("worker-*.log"):
            self.read_worker(logs.name(path), logs.steps(path))
        self.index()

    def key_of(self, event):
        prefix = self.rules["key_tag"]
        for tag in event.tags if prefix else ():
            if tag.startswith(prefix):
                return tag
        return event.stream

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
        # Those that were found parked after their last delivery, which may
        # never have been received.
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
