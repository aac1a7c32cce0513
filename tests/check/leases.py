"""Leases: was there ever more than one holder?

A lease is granted between asking and being told, so a holder may believe in it
from when it was told until its duration after it asked. That is what is
compared here: that nobody believes in a lease when another does.
"""

from logs import Malformed, TooLittle
from newest import Newest

DOUBT = "UNKNOWN"


class Hold:
    """What one client knows of one lease that it was granted."""

    def __init__(self, client, name, fence, begins):
        self.client, self.name, self.fence = client, name, fence
        self.begins = begins
        self.ends = begins
        self.is_released = False

    def __str__(self):
        return (f"{self.name} under {self.fence} of {self.client}, "
                f"{self.begins} to {self.ends}")


class Leases:
    LOGS = "holder-*.log"
    TYPE = "Worked"
    BESIDES = ()
    PROMISES = (
        "a lease has one holder",
        "fences grow",
        "a lease is kept for its time",
        "what was released is over",
        "nothing is written under a lost fence",
        "what is written under a lease is stored, what is refused is not",
        "a lease has no other answers",
    )

    def __init__(self, logs, stored, findings):
        self.findings = findings
        self.counts = dict.fromkeys(
            ("granted", "granted_after_waiting", "renewed", "released",
             "used", "refused_use"), 0)
        self.holds = {}     # By fence.
        self.told = {}      # By name: [(fence, when somebody knew)]
        self.uses = []      # (name, fence, asked, code, data)
        for path in logs.paths(self.LOGS):
            self.read_client(logs.number(path), logs.steps(path))
        self.stored = [event for event in stored.log if event.type == self.TYPE]

    def read_client(self, client, steps):
        asked = {}
        for step in steps:
            if "ask" in step:
                asked[step["ask"]] = step
                if step["kind"] == "release":
                    self.release(client, step)
            else:
                self.answer(client, asked.pop(step["told"]), step)
        for ask in asked.values(): # It may have been done all the same.
            if ask["kind"] == "append":
                self.note_use(client, ask, DOUBT)

    def note_use(self, client, ask, code):
        self.uses.append((ask["name"], ask["fence"], ask["at"], code,
                          f"{client} {ask['ask']} {ask['fence']}"))

    def hold_of(self, client, ask):
        hold = self.holds.get(ask["fence"])
        if hold is None or hold.client != client:
            raise Malformed(f"client {client}: {ask} of what it has not")
        return hold

    def release(self, client, ask):
        hold = self.hold_of(client, ask)
        hold.ends = min(hold.ends, ask["at"])
        hold.is_released = True

    def answer(self, client, ask, told):
        kind, code = ask["kind"], told["code"]
        if kind == "append":
            self.note_use(client, ask, code)
        if kind == "acquire":
            if code == "OK":
                self.grant(client, ask, told)
            elif code not in (DOUBT, "HELD"):
                self.findings.add("a lease has no other answers",
                                  f"client {client} was told {code}: {ask}")
            return
        hold = self.hold_of(client, ask)
        if code == "OK":
            self.confirm(hold, kind, ask)
        elif code == "FENCED":
            self.lose(hold, kind, told)
        elif code != DOUBT:
            self.findings.add("a lease has no other answers",
                              f"client {client} was told {code}: {ask}")

    def grant(self, client, ask, told):
        fence, name = told["fence"], ask["name"]
        self.counts["granted"] += 1
        self.counts["granted_after_waiting"] += ask["wait"] > 0
        self.told.setdefault(name, []).append((fence, told["at"]))
        hold = self.holds.setdefault(
            fence, Hold(client, name, fence, told["at"]))
        if hold.client != client or hold.name != name:
            self.findings.add("a lease has one holder",
                              f"fence {fence} of {name} was given to {client}, "
                              f"and is that of {hold}")
            hold = self.holds[fence] = Hold(client, name, fence, told["at"])
        hold.ends = max(hold.ends, ask["at"] + ask["duration"])

    def confirm(self, hold, kind, ask):
        """It was held while this was decided, so no earlier than asked."""
        if kind == "release":
            self.counts["released"] += 1
            return
        if hold.is_released:
            self.findings.add("what was released is over",
                              f"{kind} after the release of {hold}")
        if kind == "renew":
            self.counts["renewed"] += 1
            hold.ends = max(hold.ends, ask["at"] + ask["duration"])
        else:
            self.counts["used"] += 1
            hold.ends = max(hold.ends, ask["at"])

    def lose(self, hold, kind, told):
        if kind == "append":
            self.counts["refused_use"] += 1
        if not hold.is_released and told["at"] < hold.ends:
            self.findings.add("a lease is kept for its time",
                              f"{hold} was lost at {told['at']}: {kind}")

    # ---- what must hold ----

    def check_one_holder(self):
        by_name = {}
        for hold in self.holds.values():
            if hold.ends > hold.begins:
                by_name.setdefault(hold.name, []).append(hold)
        for holds in by_name.values():
            holds.sort(key=lambda hold: hold.begins)
            last = None
            for hold in holds:
                if last is not None and hold.begins < last.ends:
                    self.findings.add("a lease has one holder",
                                      f"two holders: {last} and {hold}")
                if last is not None and hold.fence <= last.fence:
                    self.findings.add("fences grow", f"{last}, then {hold}")
                if last is None or hold.ends > last.ends:
                    last = hold

    def check_uses(self):
        """What a lost lease's fence is on was refused, and what was refused is
        not there."""
        data = {event.text() for event in self.stored}
        newest = {name: Newest(told) for name, told in self.told.items()}
        for name, fence, asked, code, text in self.uses:
            later = newest[name].before(asked) if name in newest else 0
            if code == "OK" and later > fence:
                self.findings.add("nothing is written under a lost fence",
                                  f"an append under {fence} of {name} was "
                                  f"accepted after {later} had been given")
            if (code == "OK" and text not in data) or (
                    code not in ("OK", DOUBT) and text in data):
                self.findings.add(
                    "what is written under a lease is stored, what is refused "
                    "is not",
                    f"{text}, told {code}, is{' not' * (code == 'OK')} there")

    def check_stored(self):
        last = {}
        for event in self.stored:
            fence = int(event.text().split()[-1])
            if fence < last.get(event.stream, 0):
                self.findings.add("nothing is written under a lost fence",
                                  f"{event} is under {fence}, behind "
                                  f"{last[event.stream]}")
            last[event.stream] = fence

    def judge(self):
        self.check_one_holder()
        self.check_uses()
        self.check_stored()
        if not self.findings.count() and not all(self.counts.values()):
            raise TooLittle(self.counts)
        return self.counts
