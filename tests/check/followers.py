"""Subscribers: what came, and what they were told about where they are."""

from logs import Malformed, TooLittle
from stored import Event


class Follower:
    """One subscriber, through all its subscriptions."""

    def __init__(self, name, log, findings):
        self.name, self.log, self.findings = name, log, findings
        self.after = None   # Where the last subscription began.
        self.reached = 0    # By events and positions.
        self.handled = 0    # By positions: where it resumes.
        self.goal = None
        self.seen = 0
        self.is_lost = False    # What follows would say nothing new.

    def object(self, promise, text):
        self.findings.add(promise, f"{self.name}: {text}")
        self.is_lost = True

    def wants(self, event):
        return (self.type in (None, event.type) and
                self.tag in (None, *event.tags) and
                self.category in (None, event.stream.split("-", 1)[0]))

    def missed(self, until):
        """The first event that it wants behind where it is, before @until."""
        return next((event for event in self.log[self.reached:until - 1]
                     if self.wants(event)), None)

    def take(self, step):
        if "follow" in step:
            self.begin(step)
        elif "event" in step:
            self.seen += 1
            if not self.is_lost:
                self.take_event(Event(step["event"]))
        elif "position" in step:
            if not self.is_lost:
                self.take_position(step["position"])
        elif "reach" in step:
            self.goal = step["reach"]
        elif "ended" in step:
            self.object("a subscription goes on to the end",
                        f"ended by the server: {step['ended']}")
        else:
            raise Malformed(f"{self.name}: {step}")

    def begin(self, step):
        if self.after is not None and not self.is_lost and (
                step["follow"] != self.handled):
            raise Malformed(f"{self.name}: resumed elsewhere")
        self.after = self.reached = self.handled = step["follow"]
        self.type, self.tag, self.category = (
            step.get(name) for name in ("type", "tag", "category"))

    def take_event(self, event):
        if event.position <= self.reached:
            self.object("events come in order, and once",
                        f"{event} came after {self.reached}")
            return
        missed = self.missed(event.position)
        if missed is not None:
            self.object("no event is missed", f"{event} came, {missed} was due")
        elif event.position > len(self.log) or (
                self.log[event.position - 1].fields() != event.fields()):
            self.object("events come as they are stored",
                        f"{event} is stored with other content")
        elif not self.wants(event):
            self.object("only what is wanted comes", f"{event} came")
        self.reached = event.position

    def take_position(self, position):
        if position < self.reached:
            self.object("a position is honest",
                        f"told {position} after {self.reached}")
            return
        missed = self.missed(position + 1)
        if missed is not None or position > len(self.log):
            self.object("a position is honest",
                        f"told {position} without {missed}")
        self.reached = self.handled = position

    def end(self):
        if not self.is_lost and (
                self.goal is None or self.handled < self.goal):
            self.object("a subscription goes on to the end",
                        f"got to {self.handled}, not to {self.goal}")
        return self.seen


class Followers:
    LOGS = "follow-*.log"
    PROMISES = (
        "events come in order, and once",
        "no event is missed",
        "events come as they are stored",
        "only what is wanted comes",
        "a position is honest",
        "a subscription goes on to the end",
    )

    def __init__(self, logs, stored, findings):
        self.logs, self.stored, self.findings = logs, stored, findings

    def judge(self):
        paths = self.logs.paths(self.LOGS)
        seen = 0
        for path in paths:
            follower = Follower(self.logs.name(path), self.stored.log,
                                self.findings)
            for step in self.logs.steps(path):
                follower.take(step)
            seen += follower.end()
        counts = {"followers": len(paths), "delivered": seen}
        if not self.findings.count() and not seen:
            raise TooLittle(counts)
        return counts
