"""Scheduled appends: each once, not early, and in order."""

from bisect import bisect_left, insort

from logs import Malformed

NEVER = float("inf")


class Schedule:
    def __init__(self, name, due, events, number):
        self.name, self.events, self.number = name, events, number
        self.dues = {due}       # Those that it may have.
        self.known = NEVER      # Since when its due time is known to be that.
        self.is_planned = self.is_moved = self.is_doubtful = False
        self.is_cancelled = self.was_done = False
        self.places = []

    def rank(self):
        return (min(self.dues), self.number)


class Schedules:
    LOGS = "planner-*.log"
    TYPE = "Due"
    BESIDES = ()
    PROMISES = (
        "a schedule takes place once",
        "its events are together",
        "none is early",
        "they are done in the order of their times",
        "what is cancelled or done is over",
        "a schedule has no other answers",
        "nothing takes place that nobody planned",
    )

    def __init__(self, logs, stored, findings):
        self.findings = findings
        self.schedules = {}
        self.counts = dict.fromkeys(("planned", "moved", "cancelled", "late"),
                                    0)
        for path in logs.paths(self.LOGS):
            self.read_planner(logs.steps(path))
        for event in stored.log:
            if event.type != self.TYPE:
                continue
            schedule = self.schedules.get(event.text())
            if schedule is None:
                findings.add("nothing takes place that nobody planned",
                             f"{event}: {event.text()}")
            else:
                schedule.places.append(event)

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
                    self.findings.add("a schedule has no other answers",
                                      f"{name} was refused: {code}")
                self.schedules[name].known = told["wall"]
                self.schedules[name].is_planned = True
                self.counts["planned"] += 1
        elif "move" in asked:
            self.tell_move(self.schedules[asked["move"]], asked, told, doubtful)
        else:
            self.tell_cancel(self.schedules[asked["cancel"]], told, doubtful)

    def object_if_over(self, schedule, what):
        if schedule.is_cancelled or schedule.was_done:
            self.findings.add("what is cancelled or done is over",
                              f"{schedule.name} was {what}, and was not there")

    def tell_move(self, schedule, asked, told, doubtful):
        if told["code"] == "OK":
            self.object_if_over(schedule, "moved")
            schedule.dues = {asked["due"]}
            schedule.known = told["wall"]
            schedule.is_moved = True
            self.counts["moved"] += 1
        elif told["code"] != "CONFLICT":
            self.findings.add("a schedule has no other answers",
                              f"a move of {schedule.name} was told "
                              f"{told['code']}")
        elif doubtful: # It may have been moved, and done since.
            schedule.dues.add(asked["due"])
            schedule.known = NEVER
            schedule.is_moved = True
        elif not schedule.is_cancelled and not schedule.is_doubtful:
            schedule.was_done = True
            self.counts["late"] += 1

    def tell_cancel(self, schedule, told, doubtful):
        if told["code"] != "OK":
            self.findings.add("a schedule has no other answers",
                              f"cancelling {schedule.name} was told "
                              f"{told['code']}")
        elif told["cancelled"]:
            self.object_if_over(schedule, "cancelled")
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
        where = [place.position for place in schedule.places]
        if schedule.is_cancelled and found:
            self.findings.add("what is cancelled or done is over",
                              f"{schedule.name} was cancelled, and took place "
                              f"at {where}")
        elif schedule.is_cancelled or found == schedule.events:
            return
        elif found or (schedule.is_planned and not schedule.is_doubtful):
            self.findings.add("a schedule takes place once",
                              f"{schedule.name}: {found} events instead of "
                              f"{schedule.events}, at {where}")

    def check_place(self, schedule):
        first = schedule.places[0]
        for index, place in enumerate(schedule.places):
            if place.position != first.position + index:
                self.findings.add("its events are together",
                                  f"{schedule.name}: {place}, and {first}")
        if first.time < min(schedule.dues):
            self.findings.add("none is early",
                              f"{schedule.name} took place at {first.time}, "
                              f"which is {min(schedule.dues) - first.time} us "
                              f"early")

    def check_order(self):
        """When one takes place, none is left that was known to be due before
        it."""
        done = [schedule for schedule in self.schedules.values()
                if schedule.places]
        done.sort(key=lambda schedule: schedule.places[0].position)
        later = []
        for schedule in reversed(done):
            rank, time = schedule.rank(), schedule.places[0].time
            for due, number, name in later[:bisect_left(later, (*rank, ""))]:
                other = self.schedules[name]
                same = due == rank[0]
                if other.known < time and not (
                        same and (other.is_moved or schedule.is_moved)):
                    self.findings.add(
                        "they are done in the order of their times",
                        f"{schedule.name}, due at {rank[0]}, took place before "
                        f"{name}, due at {due}")
            if schedule.known != NEVER:
                insort(later, (*rank, schedule.name))

    def judge(self):
        if not self.counts["planned"]:
            raise Malformed("nothing was planned")
        for schedule in self.schedules.values():
            self.check_once(schedule)
            if schedule.places:
                self.check_place(schedule)
        self.check_order()
        return self.counts
