"""Appends: what clients sent and were told, against what is stored."""

from logs import Malformed, TooLittle
from stored import content_of

EXPECT_ANY, EXPECT_EXISTS = -1, -2

# Codes that leave open whether an append was done. All others, but OK, say
# that it was not.
OPEN = ("UNKNOWN", "CANCELLED")


class Write:
    """The events of an append for one stream: where each is, or None."""

    __slots__ = ("stream", "expected", "places")

    def __init__(self, stream, expected, places):
        self.stream, self.expected, self.places = stream, expected, places


def came_too_early(refusal):
    """Can the same be accepted when streams have grown?"""
    failures = refusal.get("failures")
    return bool(failures) and all(
        failure["actual"] < failure["expected"] or (
            failure["expected"] == EXPECT_EXISTS and failure["actual"] == 0)
        for failure in failures)


class Append:
    """One append, with every answer it ever got."""

    __slots__ = ("name", "writes", "answers", "behind")

    def __init__(self, name, writes, behind):
        self.name, self.writes, self.answers = name, writes, []
        self.behind = behind # A position that was told before it was sent.

    def places(self):
        return [place for write in self.writes for place in write.places]

    def outcome(self):
        """done, refused, or open. What was told last counts: a refusal of
        what was sent again also says that the first time did nothing; but
        that may still be on its way, by another connection, if it can be
        accepted then."""
        codes = [answer["code"] for answer in self.answers]
        if "OK" in codes:
            return "done"
        if not codes or codes[-1] in OPEN:
            return "open"
        if codes[0] in OPEN and came_too_early(self.answers[-1]):
            return "open"
        return "refused"


class Appends:
    LOGS = "append-*.log"
    PROMISES = (
        "what is acknowledged is not lost",
        "bytes are as they were sent",
        "an append is stored as a whole or not at all",
        "what is refused is not stored",
        "nothing is stored that nobody sent",
        "an event is where the answer says",
        "what was expected was so",
        "a version has one winner",
        "a refusal has a reason",
        "what is sent after an answer is stored behind it",
        "what is acknowledged can be read",
    )

    def __init__(self, logs, stored, findings):
        self.stored, self.findings = stored, findings
        self.appends = []
        self.looks = []
        self.sent = set()
        for path in logs.paths(self.LOGS):
            self.read(logs.name(path), logs.steps(path))

    def read(self, name, steps):
        mine = {}
        told = 0
        for step in steps:
            if "append" in step:
                append = self.read_append(f"{name} append {step['append']}",
                                          step, told)
                mine[step["append"]] = append
            elif "answer" in step:
                mine[step["answer"]].answers.append(step)
                if step["code"] == "OK":
                    told = max(told, *(run["position"] + run["count"] - 1
                                       for run in step["runs"]), 0)
            elif "look" in step:
                self.looks.append((name, step))
            else:
                raise Malformed(f"{name}: {step}")

    def read_append(self, name, step, behind):
        writes = [Write(write["stream"], write["expected"],
                        [self.place(name, write["stream"], sent)
                         for sent in write["events"]])
                  for write in step["writes"]]
        append = Append(name, writes, behind)
        self.appends.append(append)
        return append

    def place(self, name, stream, sent):
        """Where an event is that was sent, which it is compared with."""
        self.sent.add(sent["id"])
        event = self.stored.by_id.get(sent["id"])
        if event is not None and (
                event.stream != stream or
                event.content() != content_of(sent)):
            self.findings.add("bytes are as they were sent",
                              f"{name}: {event} is {event.fields()} and was "
                              f"sent to {stream} as {sent}")
        return event

    def judge(self, types_of_others):
        """Events of these types may be there though no append has them."""
        for append in self.appends:
            self.check_append(append)
        for event in self.stored.log:
            if event.id not in self.sent and event.type not in types_of_others:
                self.findings.add("nothing is stored that nobody sent",
                                  f"nobody sent {event}")
        self.check_winners()
        self.check_looks()
        outcomes = [append.outcome() for append in self.appends]
        counts = {
            "appends": len(self.appends),
            "acknowledged": outcomes.count("done"),
            "refused": outcomes.count("refused"),
            "unknown": outcomes.count("open"),
            "repeated": sum(answer.get("repeated", False)
                            for append in self.appends
                            for answer in append.answers),
            "reads_after_ack": len(self.looks),
        }
        if not self.findings.count() and not counts["acknowledged"]:
            raise TooLittle(counts)
        return counts

    def check_append(self, append):
        places = append.places()
        there = sum(place is not None for place in places)
        is_whole = there == len(places)
        outcome = append.outcome()
        if outcome == "done" and not is_whole:
            self.findings.add("what is acknowledged is not lost",
                              f"{append.name}: {len(places) - there} of "
                              f"{len(places)} events are lost")
        if outcome == "refused" and there:
            self.findings.add("what is refused is not stored",
                              f"{append.name}: {there} of {len(places)} events "
                              f"are there")
        if outcome == "open" and there and not is_whole:
            self.findings.add("an append is stored as a whole or not at all",
                              f"{append.name}: half of it is there")
        if is_whole and places:
            self.check_whole(append, places)
        for answer in append.answers:
            if answer["code"] == "OK" and is_whole:
                self.check_answer(append, answer, places)
            elif answer["code"] == "CONFLICT":
                self.check_conflict(append, answer)

    def check_whole(self, append, places):
        """Its events follow one another, at the version that was expected, and
        behind all that was acknowledged before it was sent."""
        first = places[0].position
        if any(place.position != first + i for i, place in enumerate(places)):
            self.findings.add("an append is stored as a whole or not at all",
                              f"{append.name}: its events are not together")
        if first <= append.behind:
            self.findings.add(
                "what is sent after an answer is stored behind it",
                f"{append.name}: is at {first}, and {append.behind} had been "
                f"told")
        for write in append.writes:
            if not write.places:
                continue
            version = write.places[0].version
            if 0 <= write.expected != version - 1:
                self.findings.add("what was expected was so",
                                  f"{append.name}: expected {write.expected} "
                                  f"and got version {version}")
            if write.expected == EXPECT_EXISTS and version == 1:
                self.findings.add("what was expected was so",
                                  f"{append.name}: expected {write.stream} and "
                                  f"began it")

    def check_answer(self, append, answer, places):
        told = [(run["position"] + i, run["version"] + i)
                for run in answer["runs"] for i in range(run["count"])]
        if told != [(place.position, place.version) for place in places]:
            self.findings.add("an event is where the answer says",
                              f"{append.name}: was told {answer['runs']}, and "
                              f"is elsewhere")

    def check_conflict(self, append, answer):
        """A refusal implies a winner, or a stream that was not so far."""
        promise = "a refusal has a reason"
        if not answer["failures"]:
            self.findings.add(promise, f"{append.name}: a conflict without a "
                                       f"reason")
        for failure in answer["failures"]:
            write = append.writes[failure["write"]]
            actual = failure["actual"]
            ends = self.stored.versions.get(write.stream, 0)
            if failure["expected"] != write.expected:
                self.findings.add(promise, f"{append.name}: refused for "
                                           f"another expectation than its own")
            if actual == write.expected or write.expected == EXPECT_ANY or (
                    write.expected == EXPECT_EXISTS and actual > 0):
                self.findings.add(promise, f"{append.name}: refused although "
                                           f"{write.stream} was at {actual}")
            if actual > ends:
                self.findings.add(promise, f"{append.name}: refused by version "
                                           f"{actual} of {write.stream}, which "
                                           f"ends at {ends}")

    def check_winners(self):
        """A version of a stream has one winner, however it was told."""
        winners = {}
        for append in self.appends:
            for answer in append.answers:
                if answer["code"] != "OK":
                    continue
                for run in answer["runs"]:
                    stream = append.writes[run["write"]].stream
                    for i in range(run["count"]):
                        key = stream, run["version"] + i
                        if winners.setdefault(key, append) is not append:
                            self.findings.add(
                                "a version has one winner",
                                f"{stream} version {key[1]} was won by "
                                f"{winners[key].name} and by {append.name}")

    def check_looks(self):
        promise = "what is acknowledged can be read"
        for name, step in self.looks:
            found = step["found"]
            what = f"{name}: {step['look']} version {step['version']}"
            if found is None:
                self.findings.add(promise, f"{what} could not be read")
                continue
            event = self.stored.by_id.get(found["id"])
            if event is None or (
                    event.position, event.version, event.stream, event.time,
                    event.content()) != (
                    found["position"], found["version"], found["stream"],
                    found["time"], content_of(found)):
                self.findings.add(promise, f"{what} was read as {found}, and "
                                           f"is not so any more")
