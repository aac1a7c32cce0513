#!/usr/bin/env python3
"""Judges a history: what clients sent and were told, and what is stored.

    check.py DIRECTORY

It shares no code with the server or the client library. It reads the files
below, prints one line of JSON with counts and the first problems, and ends
with 0 if there are none, with 1 if there are, and with 2 if it cannot tell.

Every line of a file is a JSON object. EVENT stands for an event as it was
sent (id, type, tags, metadata and data in hex), and STORED for one as it was
read (position, version, time and stream besides).

append-*.log   One client's appends, in their order:
    {"append": N, "writes": [{"stream", "expected", "events": [EVENT]}]}
    {"answer": N, "code": "OK", "repeated": false,
     "runs": [{"write", "version", "position", "count"}]}
    {"answer": N, "code": "CONFLICT",
     "failures": [{"write", "expected", "actual"}]}
    {"look": "STREAM", "version": V, "found": STORED or null}
    A look follows an answer that promised this event. Several answers to one
    append are those to the same append sent again.
follow-*.log   One subscriber:
    {"follow": AFTER, "type": "TYPE" or null}  It starts, or starts again.
    {"event": STORED}
    {"position": P}                            All up to P is handled.
    {"reach": P}                               It was to get as far as P.
dump-N.log     Everything, read in order; dump-1 is older than dump-2:
    {"event": STORED}
    {"list": "stream" or "type" or "tag", "name", "backward",
     "positions": [P]}                         What a read of a list gave.
    {"head": P}                                The last line.
"""

import glob
import json
import os
import re
import sys

PROBLEMS_SHOWN = 20
SENT = ("id", "type", "tags", "metadata", "data")
EXPECT_ANY, EXPECT_EXISTS = -1, -2

# Codes that leave open whether an append was done. All others, but OK, say
# that it was not.
OPEN = ("UNKNOWN", "CANCELLED")


class Malformed(Exception):
    """The history is none: nothing can be said about the server."""


def lines(path):
    with open(path, encoding="utf-8") as file:
        for number, text in enumerate(file, 1):
            try:
                yield json.loads(text)
            except ValueError as error:
                raise Malformed(f"{path}:{number}: {error}") from error


def by_number(path):
    return [int(part) for part in re.findall(r"\d+", os.path.basename(path))]


def content(event):
    return tuple(str(event[name]) for name in SENT)


class Append:
    """One append, with every answer it ever got."""

    def __init__(self, name, line):
        self.name = name
        self.writes = line["writes"]
        self.answers = []

    def events(self):
        return [event for write in self.writes for event in write["events"]]

    def outcome(self):
        """done, refused, or open. What was told last counts: a refusal of
        what was sent again also says that the first time did nothing."""
        codes = [answer["code"] for answer in self.answers]
        if "OK" in codes:
            return "done"
        if not codes or codes[-1] in OPEN:
            return "open"
        return "refused"


class History:
    def __init__(self, directory):
        self.problems = []
        self.problems_count = 0
        self.appends = []
        self.looks = []
        self.follows = {}
        self.dumps = []
        for path in sorted(glob.glob(f"{directory}/append-*.log")):
            self.read_appends(path)
        for path in sorted(glob.glob(f"{directory}/follow-*.log")):
            self.follows[os.path.basename(path)] = list(lines(path))
        for path in sorted(glob.glob(f"{directory}/dump-*.log"), key=by_number):
            self.dumps.append(list(lines(path)))
        if not self.dumps or not self.appends:
            raise Malformed(f"{directory}: no appends, or no dump")
        for dump in self.dumps:
            if not dump or "head" not in dump[-1]:
                raise Malformed(f"{directory}: a dump without its end")
        self.log = [line["event"] for line in self.dumps[-1] if "event" in line]
        self.places = {}
        for event in self.log:
            self.places.setdefault(event["id"], []).append(event)

    def read_appends(self, path):
        name = os.path.basename(path)
        mine = {}
        for line in lines(path):
            if "append" in line:
                append = Append(f"{name} append {line['append']}", line)
                mine[line["append"]] = append
                self.appends.append(append)
            elif "answer" in line:
                mine[line["answer"]].answers.append(line)
            elif "look" in line:
                self.looks.append((name, line))
            else:
                raise Malformed(f"{path}: {line}")

    def problem(self, text):
        self.problems_count += 1
        if self.problems_count <= PROBLEMS_SHOWN:
            self.problems.append(text)

    # ---- what is stored, by itself ----

    def check_numbers(self):
        """Positions, and versions in each stream, are 1, 2, 3 and so on, and
        time does not go back."""
        versions = {}
        last_time = 0
        for number, event in enumerate(self.log, 1):
            stream = event["stream"]
            versions[stream] = versions.get(stream, 0) + 1
            if event["position"] != number:
                self.problem(f"position {event['position']} stands where "
                             f"{number} is due")
                return
            if event["version"] != versions[stream]:
                self.problem(f"position {number}: {stream} has version "
                             f"{event['version']} where {versions[stream]} is "
                             f"due")
            if event["time"] < last_time:
                self.problem(f"position {number}: time goes back")
            last_time = event["time"]
        if self.dumps[-1][-1]["head"] != len(self.log):
            self.problem(f"head is {self.dumps[-1][-1]['head']}, and there are "
                         f"{len(self.log)} events")

    def check_once(self):
        """No id is there twice. (Clients here never use one for two streams.)
        """
        for identity, places in self.places.items():
            if len(places) > 1:
                self.problem(f"event {identity} is stored {len(places)} times, "
                             f"at {[event['position'] for event in places]}")

    def check_stable(self):
        """What was read once is read for ever: each dump begins with the one
        before."""
        for number, dump in enumerate(self.dumps[:-1], 1):
            then = [line["event"] for line in dump if "event" in line]
            for old, new in zip(then, self.log):
                if old != new:
                    self.problem(f"dump {number}: position {old['position']} "
                                 f"has changed: {old} became {new}")
                    break
            if len(then) > len(self.log):
                self.problem(f"dump {number} had {len(then)} events, the last "
                             f"one has {len(self.log)}")

    def check_lists(self):
        """A read through a list finds what the log has."""
        found = {"stream": {}, "type": {}, "tag": {}}
        for event in self.log:
            position = event["position"]
            found["stream"].setdefault(event["stream"], []).append(position)
            found["type"].setdefault(event["type"], []).append(position)
            for tag in event["tags"]:
                found["tag"].setdefault(tag, []).append(position)
        seen = 0
        for line in self.dumps[-1]:
            if "list" not in line:
                continue
            seen += 1
            wanted = found[line["list"]].get(line["name"], [])
            if line["backward"]:
                wanted = wanted[::-1]
            if line["positions"] != wanted:
                self.problem(f"{line['list']} {line['name']}"
                             f"{' backward' if line['backward'] else ''}: read "
                             f"{len(line['positions'])} events, the log has "
                             f"{len(wanted)}, or in another order")
        return seen

    # ---- what was told, against what is stored ----

    def stored(self, append):
        """The places of an append's events, None where there is none."""
        places = []
        for write in append.writes:
            for event in write["events"]:
                there = self.places.get(event["id"], [])
                if not there:
                    places.append(None)
                    continue
                places.append(there[0])
                if there[0]["stream"] != write["stream"]:
                    self.problem(f"{append.name}: event {event['id']} is in "
                                 f"{there[0]['stream']} instead of "
                                 f"{write['stream']}")
                if content(there[0]) != content(event):
                    self.problem(f"{append.name}: event {event['id']} is not "
                                 f"what was sent: {there[0]}")
        return places

    def check_append(self, append):
        places = self.stored(append)
        outcome = append.outcome()
        there = [place for place in places if place is not None]
        if outcome == "done" and len(there) < len(places):
            self.problem(f"{append.name}: acknowledged, and "
                         f"{len(places) - len(there)} of {len(places)} events "
                         f"are lost")
        if outcome == "refused" and there:
            self.problem(f"{append.name}: refused, and {len(there)} of "
                         f"{len(places)} events are stored")
        if outcome == "open" and there and len(there) < len(places):
            self.problem(f"{append.name}: half of it is stored")
        if len(there) == len(places):
            self.check_whole(append, places)
        for answer in append.answers:
            if answer["code"] == "OK" and len(there) == len(places):
                self.check_answer(append, answer, places)
            elif answer["code"] == "CONFLICT":
                self.check_conflict(append, answer)

    def check_whole(self, append, places):
        """The events of an append follow one another, at the version that was
        expected."""
        first = places[0]["position"]
        if [place["position"] for place in places] != list(
                range(first, first + len(places))):
            self.problem(f"{append.name}: its events are not together")
        at = 0
        for write in append.writes:
            expected = write["expected"]
            version = places[at]["version"]
            if expected >= 0 and version != expected + 1:
                self.problem(f"{append.name}: expected {expected} and got "
                             f"version {version}")
            if expected == EXPECT_EXISTS and version == 1:
                self.problem(f"{append.name}: expected a stream and began it")
            at += len(write["events"])

    def check_answer(self, append, answer, places):
        told = []
        for run in answer["runs"]:
            told += [(run["position"] + i, run["version"] + i)
                     for i in range(run["count"])]
        if told != [(place["position"], place["version"]) for place in places]:
            self.problem(f"{append.name}: was told {answer['runs']}, and is "
                         f"elsewhere")

    def check_conflict(self, append, answer):
        """A refusal implies a winner, or a stream that was not so far."""
        if not answer["failures"]:
            self.problem(f"{append.name}: a conflict without a reason")
        for failure in answer["failures"]:
            write = append.writes[failure["write"]]
            actual = failure["actual"]
            ends = self.versions.get(write["stream"], 0)
            if failure["expected"] != write["expected"]:
                self.problem(f"{append.name}: refused for another expectation "
                             f"than its own")
            if actual == write["expected"] or (
                    write["expected"] == EXPECT_EXISTS and actual > 0) or (
                    write["expected"] == EXPECT_ANY):
                self.problem(f"{append.name}: refused although "
                             f"{write['stream']} was at {actual}")
            if actual > ends:
                self.problem(f"{append.name}: refused by version {actual} of "
                             f"{write['stream']}, which ends at {ends}")

    def check_winners(self):
        """A version of a stream has one winner, however it was told."""
        winners = {}
        for append in self.appends:
            for answer in append.answers:
                if answer["code"] != "OK":
                    continue
                for run in answer["runs"]:
                    stream = append.writes[run["write"]]["stream"]
                    for i in range(run["count"]):
                        key = (stream, run["version"] + i)
                        if winners.setdefault(key, append) is not append:
                            self.problem(
                                f"{stream} version {key[1]} was won by "
                                f"{winners[key].name} and by {append.name}")

    def check_looks(self):
        for name, line in self.looks:
            found = line["found"]
            if found is None:
                self.problem(f"{name}: {line['look']} version "
                             f"{line['version']} was acknowledged and could "
                             f"not be read")
            elif found not in self.places.get(found["id"], []):
                self.problem(f"{name}: {line['look']} version "
                             f"{line['version']} was read as {found}, and is "
                             f"not so any more")

    # ---- what subscribers saw ----

    def check_follow(self, name, steps):
        reached, handled, reach, kind = 0, 0, None, None
        seen = 0
        started = False
        wanted = None
        for step in steps:
            if "follow" in step:
                if started and step["follow"] != handled:
                    raise Malformed(f"{name}: resumed elsewhere")
                started, kind = True, step["type"]
                reached = handled = step["follow"]
                wanted = self.wanted(kind, handled)
            elif "event" in step:
                event = step["event"]
                seen += 1
                due = next(wanted, None)
                if event["position"] <= reached:
                    self.problem(f"{name}: position {event['position']} came "
                                 f"after {reached}")
                    return seen
                if event != due:
                    self.problem(
                        f"{name}: got position {event['position']} of "
                        f"{event['stream']}; due was "
                        f"{due and due['position']}, or with other content")
                    return seen
                reached = event["position"]
            elif "position" in step:
                if step["position"] < reached:
                    self.problem(f"{name}: told {step['position']} after "
                                 f"{reached}")
                    return seen
                missed = [event["position"]
                          for event in self.log[reached:step["position"]]
                          if kind is None or event["type"] == kind]
                if missed:
                    self.problem(f"{name}: told {step['position']} without "
                                 f"position {missed[0]}")
                    return seen
                reached = handled = step["position"]
            elif "reach" in step:
                reach = step["reach"]
            elif "ended" in step:
                self.problem(f"{name}: ended by the server: {step['ended']}")
            else:
                raise Malformed(f"{name}: {step}")
        if reach is None or handled < reach:
            self.problem(f"{name}: got to {handled}, not to {reach}")
        return seen

    def wanted(self, kind, after):
        return iter([event for event in self.log[after:]
                     if kind is None or event["type"] == kind])

    def check(self):
        self.versions = {}
        for event in self.log:
            self.versions[event["stream"]] = event["version"]
        self.check_numbers()
        self.check_once()
        self.check_stable()
        lists = self.check_lists()
        sent = set()
        for append in self.appends:
            sent.update(event["id"] for event in append.events())
            self.check_append(append)
        for event in self.log:
            if event["id"] not in sent:
                self.problem(f"position {event['position']}: nobody sent it")
        self.check_winners()
        self.check_looks()
        seen = sum(self.check_follow(name, steps)
                   for name, steps in self.follows.items())
        outcomes = [append.outcome() for append in self.appends]
        return {
            "appends": len(self.appends),
            "acknowledged": outcomes.count("done"),
            "refused": outcomes.count("refused"),
            "unknown": outcomes.count("open"),
            "repeated": sum(answer.get("repeated", False)
                            for append in self.appends
                            for answer in append.answers),
            "events": len(self.log),
            "delivered": seen,
            "reads_after_ack": len(self.looks),
            "lists": lists,
            "dumps": len(self.dumps),
            "problems": self.problems_count,
            "first_problems": self.problems,
        }


def run(kind):
    """What the other checkers do: kind(DIRECTORY).check() gives counts and
    problems."""
    try:
        counts, problems = kind(sys.argv[1]).check()
    except (Malformed, KeyError, IndexError, OSError) as error:
        print(f"{sys.argv[0]}: {type(error).__name__}: {error}",
              file=sys.stderr)
        return 2
    print(json.dumps({**counts, "problems": len(problems),
                      "first_problems": problems[:PROBLEMS_SHOWN]}))
    return 1 if problems else 0


def main():
    if len(sys.argv) != 2:
        print("usage: check.py DIRECTORY", file=sys.stderr)
        return 2
    try:
        result = History(sys.argv[1]).check()
    except (Malformed, KeyError, OSError) as error:
        print(f"check.py: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    print(json.dumps(result))
    return 1 if result["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
