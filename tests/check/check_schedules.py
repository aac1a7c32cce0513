#!/usr/bin/env python3
"""Judges what became of scheduled appends.

    check_schedules.py DIRECTORY

As check.py. Times are microseconds since 1970, of clients and server alike.

planner-*.log  One client. It asks one thing at a time, and the same again while
               it does not know what came of it:
    {"ask": N, "plan": [[NAME, DUE, EVENTS]]}
    {"ask": N, "move": NAME, "due": DUE}
    {"ask": N, "cancel": NAME}
    {"told": N, "code", "cancelled", "wall"}
dump.log       Its events, in order, each with the name of its schedule:
    {"event": POSITION, "time", "name"}
"""

import glob
import sys
from bisect import bisect_left, insort

from check import Malformed, by_number, lines, run

NEVER = float("inf")


class Schedule:
    def __init__(self, name, due, events, number):
        self.name, self.events, self.number = name, events, number
        self.dues = {due}       # Those that it may have.
        self.known = NEVER      # Since when its due time is known to be that.
        self.is_moved = self.is_doubtful = False
        self.is_cancelled = self.was_done = False
        self.places = []

    def rank(self):
        return (min(self.dues), self.number)


class Schedules:
    def __init__(self, directory):
        self.problems = []
        self.schedules = {}
        self.counts = dict.fromkeys(("planned", "moved", "cancelled", "late"),
                                    0)
        for path in sorted(glob.glob(f"{directory}/planner-*.log"),
                           key=by_number):
            self.read_planner(list(lines(path)))
        last = 0
        for event in lines(f"{directory}/dump.log"):
            if event["time"] < last:
                self.problem(f"position {event['event']}: time goes back")
            last = event["time"]
            schedule = self.schedules.get(event["name"])
            if schedule is None:
                self.problem(f"nobody planned {event}")
            else:
                schedule.places.append(event)

    def problem(self, text):
        self.problems.append(text)

    def read_planner(self, steps):
        asked, doubtful = None, False
        for step in steps:
            if "ask" in step:
                asked, doubtful = step, False
                self.ask(step)
            elif step["code"] in ("UNKNOWN", "BUSY"):
                doubtful = doubtful or step["code"] == "UNKNOWN"
            else:
                self.tell(asked, step, doubtful)

    def ask(self, step):
        for name, due, events in step.get("plan", ()):
            if name in self.schedules:
                raise Malformed(f"{name} was planned twice")
            self.schedules[name] = Schedule(name, due, events,
                                            len(self.schedules))

    def tell(self, asked, told, doubtful):
        code = told["code"]
        if "plan" in asked:
            for name, _, _ in asked["plan"]:
                if code != "OK":
                    self.problem(f"{name} was refused: {code}")
                self.schedules[name].known = told["wall"]
                self.counts["planned"] += 1
        elif "move" in asked:
            self.tell_move(self.schedules[asked["move"]], asked, told, doubtful)
        else:
            self.tell_cancel(self.schedules[asked["cancel"]], told, doubtful)

    def tell_move(self, schedule, asked, told, doubtful):
        if told["code"] == "OK":
            if schedule.is_cancelled or schedule.was_done:
                self.problem(f"{schedule.name} was moved, and was not there")
            schedule.dues = {asked["due"]}
            schedule.known = told["wall"]
            schedule.is_moved = True
            self.counts["moved"] += 1
        elif told["code"] != "CONFLICT":
            self.problem(f"a move of {schedule.name} was told {told['code']}")
        elif doubtful: # It may have been moved, and done since.
            schedule.dues.add(asked["due"])
            schedule.known = NEVER
            schedule.is_moved = True
        elif not schedule.is_cancelled and not schedule.is_doubtful:
            schedule.was_done = True
            self.counts["late"] += 1

    def tell_cancel(self, schedule, told, doubtful):
        if told["code"] != "OK":
            self.problem(f"cancelling {schedule.name} was told {told['code']}")
        elif told["cancelled"]:
            if schedule.is_cancelled or schedule.was_done:
                self.problem(f"{schedule.name} was cancelled, and was not "
                             f"there")
            schedule.is_cancelled = True
            self.counts["cancelled"] += 1
        elif doubtful: # It may have been cancelled the first time.
            schedule.is_doubtful = True
        elif not schedule.is_cancelled and not schedule.is_doubtful:
            schedule.was_done = True
            self.counts["late"] += 1

    # ---- what must hold ----

    def check_once(self, schedule):
        found = len(schedule.places)
        if schedule.is_cancelled and found:
            self.problem(f"{schedule.name} was cancelled, and took place at "
                         f"{[place['event'] for place in schedule.places]}")
        elif schedule.is_doubtful and found not in (0, schedule.events):
            self.problem(f"{schedule.name}: {found} events of "
                         f"{schedule.events}")
        elif not schedule.is_cancelled and not schedule.is_doubtful and (
                found != schedule.events):
            self.problem(f"{schedule.name}: {found} events instead of "
                         f"{schedule.events}, at "
                         f"{[place['event'] for place in schedule.places]}")

    def check_place(self, schedule):
        first = schedule.places[0]
        for index, place in enumerate(schedule.places):
            if place["event"] != first["event"] + index:
                self.problem(f"{schedule.name}: its events are not together")
        if first["time"] < min(schedule.dues):
            self.problem(f"{schedule.name} took place at {first['time']}, "
                         f"which is {min(schedule.dues) - first['time']} us "
                         f"early")

    def check_order(self):
        """When one takes place, none is left that was known to be due before
        it."""
        done = [schedule for schedule in self.schedules.values()
                if schedule.places]
        done.sort(key=lambda schedule: schedule.places[0]["event"])
        later = []
        for schedule in reversed(done):
            rank, time = schedule.rank(), schedule.places[0]["time"]
            for due, number, name in later[:bisect_left(later, (*rank, ""))]:
                other = self.schedules[name]
                same = due == rank[0]
                if other.known < time and not (
                        same and (other.is_moved or schedule.is_moved)):
                    self.problem(f"{schedule.name}, due at {rank[0]}, took "
                                 f"place before {name}, due at {due}")
            if schedule.known != NEVER:
                insort(later, (*rank, schedule.name))

    def check(self):
        if not self.counts["planned"]:
            raise Malformed("nothing was planned")
        for schedule in self.schedules.values():
            self.check_once(schedule)
            if schedule.places:
                self.check_place(schedule)
        self.check_order()
        return self.counts, self.problems


if __name__ == "__main__":
    sys.exit(run(Schedules))
