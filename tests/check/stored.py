"""What is stored: the last dump, by itself and against those before it."""

from sys import intern

from logs import Malformed


class Event:
    """One that was read."""

    __slots__ = ("position", "version", "time", "stream", "type", "id", "tags",
                 "metadata", "data")

    def __init__(self, fields):
        self.position = fields["position"]
        self.version = fields["version"]
        self.time = fields["time"]
        self.stream = intern(fields["stream"])
        self.type = intern(fields["type"])
        self.id = fields["id"]
        self.tags = tuple(map(intern, fields["tags"]))
        self.metadata = fields["metadata"]
        self.data = fields["data"]

    def fields(self):
        return tuple(getattr(self, name) for name in self.__slots__)

    def content(self):
        """What its client sent, to compare with content_of()."""
        return self.type, self.tags, self.metadata, self.data

    def text(self):
        return bytes.fromhex(self.data).decode()

    def __str__(self):
        return f"position {self.position} ({self.stream} {self.version})"


def content_of(sent):
    return (sent["type"], tuple(sent["tags"]), sent["metadata"], sent["data"])


class Stored:
    PROMISES = (
        "numbers have no gaps",
        "time does not go back",
        "nothing is stored twice",
        "what was read stays so",
        "a list has what the log has",
    )

    def __init__(self, logs, findings):
        self.logs, self.findings = logs, findings
        self.paths = logs.paths("dump-*.log")
        if not self.paths:
            raise Malformed(f"{logs.directory}: no dump")
        self.log = []
        self.lists = []
        self.head = None
        for step in logs.steps(self.paths[-1]):
            if "event" in step:
                self.log.append(Event(step["event"]))
            elif "list" in step:
                self.lists.append(step)
            else:
                self.head = step["head"]
        if self.head is None:
            raise Malformed(f"{self.paths[-1]}: a dump without its end")
        self.by_id = {}
        self.versions = {}  # The last one of each stream.
        for event in self.log:
            first = self.by_id.setdefault(event.id, event)
            if first is not event:
                findings.add("nothing is stored twice",
                             f"event {event.id} is at {first} and at {event}")
            self.versions[event.stream] = event.version

    def judge(self):
        self.check_numbers()
        for path in self.paths[:-1]:
            self.check_stable(path)
        self.check_lists()
        return {"events": len(self.log), "dumps": len(self.paths),
                "lists": len(self.lists)}

    def check_numbers(self):
        """Positions, and versions in each stream, are 1, 2, 3 and so on."""
        versions = {}
        time = 0
        for due, event in enumerate(self.log, 1):
            version = versions.get(event.stream, 0) + 1
            versions[event.stream] = version
            if event.position != due:
                self.findings.add("numbers have no gaps",
                                  f"{event} stands where {due} is due")
                return
            if event.version != version:
                self.findings.add("numbers have no gaps",
                                  f"{event} where version {version} is due")
            if event.time < time:
                self.findings.add("time does not go back",
                                  f"{event} is of {event.time}, after {time}")
            time = event.time
        if self.head != len(self.log):
            self.findings.add("numbers have no gaps",
                              f"head is {self.head}, and there are "
                              f"{len(self.log)} events")

    def check_stable(self, path):
        """Each dump is what the last one begins with, but for its lists. Two
        lines that are equal need not be parsed."""
        name = self.logs.name(path)
        promise = "what was read stays so"
        last = self.logs.texts(self.paths[-1])
        count, head = 0, None
        for text in self.logs.texts(path):
            if head is None and text == next(last, None):
                count += 1
                continue
            step = self.logs.parse(text, path)
            if "event" not in step:
                head = step.get("head", head)
                continue
            count += 1
            old = Event(step["event"])
            if count > len(self.log):
                self.findings.add(promise, f"{name} had {old}, the last one "
                                           f"ends at {len(self.log)}")
                return
            if old.fields() != self.log[count - 1].fields():
                self.findings.add(promise, f"{name}: {old} has changed: "
                                           f"{old.fields()} became "
                                           f"{self.log[count - 1].fields()}")
                return
        if head is None and count != len(self.log) + len(self.lists) + 1:
            raise Malformed(f"{path}: a dump without its end")

    def check_lists(self):
        """A read through a list finds what the log has."""
        found = {"stream": {}, "type": {}, "tag": {}}
        if self.lists:
            for event in self.log:
                position = event.position
                found["stream"].setdefault(event.stream, []).append(position)
                found["type"].setdefault(event.type, []).append(position)
                for tag in event.tags:
                    found["tag"].setdefault(tag, []).append(position)
        for step in self.lists:
            kind, name = step["list"], step["name"]
            wanted = found[kind].get(name, [])
            if step["backward"]:
                wanted = wanted[::-1]
            if step["positions"] != wanted:
                self.findings.add(
                    "a list has what the log has",
                    f"{kind} {name}{' backward' * step['backward']}: read "
                    f"{len(step['positions'])} events, the log has "
                    f"{len(wanted)}, or in another order")
