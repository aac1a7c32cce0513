#!/usr/bin/env python3
"""Judges what clients saw of leases: was there ever more than one holder?

    check_leases.py DIRECTORY

As check.py. Times are microseconds of the monotonic clock that all clients
share.

holder-*.log   One client:
    {"ask": N, "kind": "acquire" or "renew" or "release" or "append", "name",
     "fence", "duration", "wait", "at"}
    {"told": N, "code", "fence", "at"}
    An append is to the stream "work-NAME", under the fence; its event says
    "CLIENT N FENCE".
dump.log       What is stored, in order:
    {"event": POSITION, "stream", "data"}

A lease is granted between asking and being told, so a holder may believe in it
from when it was told until its duration after it asked. That is what is compared
here: that nobody believes in a lease when another does.
"""

import glob
import sys

from check import Malformed, by_number, lines, run

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
    def __init__(self, directory):
        self.problems = []
        self.counts = dict.fromkeys(
            ("granted", "granted_after_waiting", "renewed", "released",
             "used", "refused_use"), 0)
        self.holds = {}     # By fence.
        self.told = {}      # By name: [(fence, when somebody knew)]
        self.uses = []      # (name, fence, asked, code, data)
        for path in sorted(glob.glob(f"{directory}/holder-*.log"),
                           key=by_number):
            self.read_client(by_number(path)[-1], list(lines(path)))
        self.stored = list(lines(f"{directory}/dump.log"))

    def problem(self, text):
        self.problems.append(text)

    def read_client(self, client, steps):
        asked = {}
        for step in steps:
            if "ask" in step:
                asked[step["ask"]] = step
                if step["kind"] == "release":
                    self.release(client, step)
            else:
                self.answer(client, asked[step["told"]], step)

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
            self.uses.append((ask["name"], ask["fence"], ask["at"], code,
                              f"{client} {ask['ask']} {ask['fence']}"))
        if kind == "acquire":
            if code == "OK":
                self.grant(client, ask, told)
            elif code not in (DOUBT, "HELD"):
                self.problem(f"client {client} was told {code}: {ask}")
            return
        hold = self.hold_of(client, ask)
        if code == "OK":
            self.confirm(hold, kind, ask)
        elif code == "FENCED":
            self.lose(hold, kind, told)
        elif code != DOUBT:
            self.problem(f"client {client} was told {code}: {ask}")

    def grant(self, client, ask, told):
        fence, name = told["fence"], ask["name"]
        self.counts["granted"] += 1
        self.counts["granted_after_waiting"] += ask["wait"] > 0
        self.told.setdefault(name, []).append((fence, told["at"]))
        hold = self.holds.setdefault(
            fence, Hold(client, name, fence, told["at"]))
        if hold.client != client or hold.name != name:
            self.problem(f"fence {fence} of {name} was given to {client}, and "
                         f"is that of {hold}")
        hold.ends = max(hold.ends, ask["at"] + ask["duration"])

    def confirm(self, hold, kind, ask):
        """It was held while this was decided, so no earlier than asked."""
        if kind == "release":
            self.counts["released"] += 1
            return
        if hold.is_released:
            self.problem(f"{kind} after the release of {hold}")
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
            self.problem(f"lost before its time: {hold}, {kind} at "
                         f"{told['at']}")

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
                    self.problem(f"two holders: {last} and {hold}")
                if last is not None and hold.fence <= last.fence:
                    self.problem(f"the fence does not grow: {last}, {hold}")
                if last is None or hold.ends > last.ends:
                    last = hold

    def check_uses(self):
        """What a lost lease's fence is on was refused, and what was refused is
        not there."""
        data = {event["data"] for event in self.stored}
        for name, fence, asked, code, text in self.uses:
            later = [other for other, at in self.told.get(name, ())
                     if other > fence and at < asked]
            if code == "OK" and later:
                self.problem(f"an append under {fence} of {name} was accepted "
                             f"after {max(later)} had been given")
            if code == "OK" and text not in data:
                self.problem(f"accepted, and not stored: {text}")
            if code not in ("OK", DOUBT) and text in data:
                self.problem(f"refused, and stored: {text}")

    def check_stored(self):
        last = {}
        for event in self.stored:
            stream, fence = event["stream"], int(event["data"].split()[-1])
            if fence < last.get(stream, 0):
                self.problem(f"position {event['event']} of {stream} is under "
                             f"fence {fence}, behind {last[stream]}")
            last[stream] = fence

    def check(self):
        self.check_one_holder()
        self.check_uses()
        self.check_stored()
        if not self.problems and not all(self.counts.values()):
            raise Malformed(f"too little has happened: {self.counts}")
        return self.counts, self.problems


if __name__ == "__main__":
    sys.exit(run(Leases))
