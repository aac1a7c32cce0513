"""Checkpoints of consumers: they move under their epoch, and never back.

Each move is part of an append whose event says what moves, so that the log has
all moves that took place, in order, and those of a consumer must be a chain.
"""

from bisect import bisect_left
from collections import defaultdict

from logs import Malformed, TooLittle
from newest import Newest

DOUBT = "UNKNOWN"


class Move:
    """One that took place, as its event tells."""

    def __init__(self, event):
        self.event = event
        self.client, self.ask, self.epoch, self.start, self.end = map(
            int, event.text().split())

    def key(self):
        return self.client, self.ask

    def __str__(self):
        return (f"{self.event}: from {self.start} to {self.end} under "
                f"{self.epoch}")


class Question:
    """What a client asked, and was told."""

    def __init__(self, client, ask, told):
        self.client, self.ask, self.told = client, ask, told
        self.name, self.epoch = ask["name"], ask["epoch"]
        self.code = told["code"] if told else DOUBT

    def key(self):
        return self.client, self.ask["ask"]

    def __str__(self):
        return f"client {self.client}: {self.ask}, told {self.told}"


class Checkpoints:
    LOGS = "keeper-*.log"
    TYPE = "Moved"
    BESIDES = ()
    PROMISES = (
        "a checkpoint moves from where it is",
        "a checkpoint does not go back",
        "a checkpoint moves under its epoch",
        "every claim begins an epoch",
        "an epoch goes on until the next claim",
        "a claim is told where the checkpoint is",
        "a move that is told is stored, one that is refused is not",
        "a checkpoint has no other answers",
    )

    def __init__(self, logs, stored, findings):
        self.findings = findings
        self.claims, self.moves = [], []
        for path in logs.paths(self.LOGS):
            self.read_client(logs.number(path), logs.steps(path))
        self.claims_of = defaultdict(list)
        for claim in self.claims:
            self.claims_of[claim.name].append(claim)
        self.chains = defaultdict(list) # By consumer.
        for event in stored.log:
            if event.type == self.TYPE:
                name = event.stream.removeprefix("moved-")
                self.chains[name].append(Move(event))

    def read_client(self, client, steps):
        asked = {}
        for step in steps:
            if "ask" in step:
                asked[step["ask"]] = step
            else:
                self.add(Question(client, asked.pop(step["told"]), step))
        for ask in asked.values():
            self.add(Question(client, ask, None))

    def add(self, question):
        kind = question.ask["kind"]
        if kind not in ("claim", "move"):
            raise Malformed(f"{question}")
        allowed = ("OK", DOUBT) if kind == "claim" else (
            "OK", DOUBT, "FENCED", "CONFLICT")
        if question.code not in allowed:
            self.findings.add("a checkpoint has no other answers",
                              f"{question}")
        (self.claims if kind == "claim" else self.moves).append(question)

    # ---- what must hold ----

    def check_chain(self, moves):
        at, epoch = 0, 0
        for move in moves:
            if move.start != at:
                self.findings.add("a checkpoint moves from where it is",
                                  f"{move}, and it is at {at}")
            if move.end < move.start:
                self.findings.add("a checkpoint does not go back", f"{move}")
            if move.epoch < epoch:
                self.findings.add("a checkpoint moves under its epoch",
                                  f"{move}, after {epoch}")
            at, epoch = move.end, max(epoch, move.epoch)

    def check_moves(self):
        """Each as it was told; none under an epoch that was over when it was
        asked for, and none refused under one that was not."""
        there = {move.key() for moves in self.chains.values() for move in moves}
        newest = self.newest_epochs()
        for question in self.moves:
            is_there = question.key() in there
            if question.code != DOUBT and (
                    (question.code == "OK") != is_there):
                self.findings.add(
                    "a move that is told is stored, one that is refused is not",
                    f"{question}, is{' not' * (not is_there)} there")
            later = newest[question.name].before(question.ask["at"])
            if question.code == "OK" and later > question.epoch:
                self.findings.add("a checkpoint moves under its epoch",
                                  f"{question}, after {later} had begun")
            if question.code == "FENCED" and not self.was_claimed(question):
                self.findings.add("an epoch goes on until the next claim",
                                  f"{question}")

    def was_claimed(self, question):
        """True if a claim may have ended the epoch of this question."""
        return any(claim.ask["at"] < question.told["at"] and
                   (claim.code != "OK" or claim.told["epoch"] > question.epoch)
                   for claim in self.claims_of[question.name])

    def newest_epochs(self):
        told = defaultdict(list)
        for claim in self.claims:
            if claim.code == "OK":
                told[claim.name].append((claim.told["epoch"],
                                         claim.told["at"]))
        return defaultdict(lambda: Newest([]),
                           {name: Newest(epochs)
                            for name, epochs in told.items()})

    def check_epochs(self):
        """No two claims have one epoch, and who asks after another was told has
        a greater one."""
        promise = "every claim begins an epoch"
        owners = {}
        newest = self.newest_epochs()
        for claim in self.claims:
            if claim.code != "OK":
                continue
            epoch = claim.told["epoch"]
            other = owners.setdefault((claim.name, epoch), claim)
            before = newest[claim.name].before(claim.ask["at"])
            if other is not claim or before >= epoch:
                self.findings.add(promise, f"{claim}, after {before}")

    def check_claims(self):
        """A claim is told what the moves under the epochs before have led to,
        which are all that can have come before it."""
        epochs = {name: [move.epoch for move in moves]
                  for name, moves in self.chains.items()}
        for claim in self.claims:
            if claim.code != "OK":
                continue
            chain = self.chains.get(claim.name, ())
            began = bisect_left(epochs.get(claim.name, ()),
                                claim.told["epoch"])
            at = chain[began - 1].end if began else 0
            if claim.told["position"] != at:
                self.findings.add("a claim is told where the checkpoint is",
                                  f"{claim}, and it is at {at}")

    def judge(self):
        for moves in self.chains.values():
            self.check_chain(moves)
        self.check_moves()
        self.check_epochs()
        self.check_claims()
        codes = [question.code for question in self.moves]
        counts = {
            "claimed": sum(claim.code == "OK" for claim in self.claims),
            "moves": sum(map(len, self.chains.values())),
            "moves_fenced": codes.count("FENCED"),
        }
        if not self.findings.count() and not all(counts.values()):
            raise TooLittle(counts)
        return counts
