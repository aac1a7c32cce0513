"""Good histories, and ways to damage them, for test_check.py."""

TIMEOUT = 1000

# ---- events ----


def sent(number):
    return {"id": f"id-{number}", "type": f"Type{number % 2}", "tags": ["t"],
            "metadata": "6d", "data": f"{number:04x}"}


def stored(number, stream, version):
    return {**sent(number), "position": number, "version": version,
            "time": 1000 + number, "stream": stream}


def dump(*events):
    """Of (stream, type, data, time), with the numbers that are due."""
    versions = {}
    steps = []
    for position, (stream, kind, data, time) in enumerate(events, 1):
        versions[stream] = versions.get(stream, 0) + 1
        steps.append({"event": {
            "position": position, "version": versions[stream], "time": time,
            "stream": stream, "id": f"{stream}-{versions[stream]}",
            "type": kind, "tags": ["k:1"], "metadata": "",
            "data": data.encode().hex()}})
    return [*steps, {"head": len(events)}]


def together(*histories):
    """Several, of one database."""
    whole = {}
    events = []
    for history in histories:
        events += [step["event"] for step in history.pop("dump-1.log")[:-1]]
        whole |= history
    whole["dump-1.log"] = dump(*(
        (event["stream"], event["type"],
         bytes.fromhex(event["data"]).decode(), event["time"])
        for event in sorted(events, key=lambda event: event["time"])))
    return whole


# ---- damages ----


def put(log, index, *path_and_value):
    """Put a value at the end of a path into a step."""
    *path, last, value = path_and_value

    def damage(history):
        step = history[log][index]
        for part in path:
            step = step[part]
        step[last] = value
    return damage


def more(log, index, name, value):
    """Add to a list in a step, or to a number."""
    def damage(history):
        history[log][index][name] += value
    return damage


def add(log, index, *steps):
    def damage(history):
        history[log][index:index] = steps
    return damage


def replace(log, index, *steps):
    def damage(history):
        history[log][index:index + 1] = steps
    return damage


def end(log, *steps):
    def damage(history):
        history[log] += steps
    return damage


def cut(log, index, until=None):
    """Take out one step, or those up to another."""
    def damage(history):
        if until is None:
            del history[log][index]
        else:
            del history[log][index:until]
    return damage


def drop(*logs):
    def damage(history):
        for log in logs:
            del history[log]
    return damage


def swap(log, one, other):
    def damage(history):
        steps = history[log]
        steps[one], steps[other] = steps[other], steps[one]
    return damage


# ---- appends and subscribers ----


def run(write, version, position, count):
    return {"write": write, "version": version, "position": position,
            "count": count}


def appends():
    """Five events in two streams; one append of each outcome."""
    def log():
        return [{"event": stored(number, stream, version)}
                for number, stream, version in (
                    (1, "a", 1), (2, "a", 2), (3, "b", 1), (4, "a", 3),
                    (5, "b", 2))]

    done = {"code": "OK", "repeated": False, "failures": []}
    conflict = {"write": 0, "expected": 0, "actual": 2}
    return {
        "append-1.log": [
            {"append": 1, "writes": [
                {"stream": "a", "expected": 0, "events": [sent(1), sent(2)]},
                {"stream": "b", "expected": -1, "events": [sent(3)]}]},
            {"answer": 1, **done, "runs": [run(0, 1, 1, 2), run(1, 1, 3, 1)]},
            {"look": "a", "version": 2, "found": stored(2, "a", 2)},
            {"append": 2, "writes": [
                {"stream": "a", "expected": 0, "events": [sent(90)]}]},
            {"answer": 2, "code": "CONFLICT", "repeated": False, "runs": [],
             "failures": [conflict]},
        ],
        "append-2.log": [
            {"append": 1, "writes": [
                {"stream": "a", "expected": 2, "events": [sent(4)]},
                {"stream": "b", "expected": -2, "events": [sent(5)]}]},
            {"answer": 1, "code": "UNKNOWN", "repeated": False, "runs": [],
             "failures": []},
        ],
        "follow-1.log": [
            {"follow": 0, "type": None}, *log()[:2], {"position": 2},
            {"follow": 2, "type": None}, *log()[2:], {"position": 5},
            {"reach": 5},
        ],
        "follow-2.log": [
            {"follow": 0, "type": "Type1"}, *log()[::2], {"position": 5},
            {"reach": 5},
        ],
        "follow-3.log": [
            {"follow": 0, "category": "b", "tag": "t"}, {"position": 2},
            log()[2], {"position": 4}, log()[4], {"position": 5},
            {"reach": 5},
        ],
        "dump-1.log": [*log()[:3], {"head": 3}],
        "dump-2.log": [
            *log(),
            {"list": "stream", "name": "a", "backward": True,
             "positions": [4, 2, 1]},
            {"list": "type", "name": "Type1", "backward": False,
             "positions": [1, 3, 5]},
            {"list": "tag", "name": "t", "backward": False,
             "positions": [1, 2, 3, 4, 5]},
            {"head": 5},
        ],
    }


SECOND_OK = {"answer": 1, "code": "OK", "repeated": False, "failures": [],
             "runs": [run(0, 3, 4, 1), run(1, 2, 5, 1)]}
CONFLICT = {"answer": 1, "code": "CONFLICT", "repeated": False, "runs": [],
            "failures": [{"write": 0, "expected": 2, "actual": 3}]}

APPENDS_DAMAGED = [
    ("what is acknowledged is not lost", "2 of 2 events are lost",
     cut("dump-2.log", 3, 5), put("dump-2.log", -1, "head", 3),
     put("append-2.log", 1, "code", "OK")),
    ("bytes are as they were sent", "sent to a as",
     put("dump-2.log", 1, "event", "data", "ff")),
    ("bytes are as they were sent", "sent to a as",
     put("dump-2.log", 1, "event", "metadata", "ff")),
    ("bytes are as they were sent", "sent to a as",
     put("dump-2.log", 1, "event", "type", "ff")),
    ("bytes are as they were sent", "sent to b as",
     put("dump-2.log", 2, "event", "stream", "c")),
    ("nothing is stored twice", "event id-1 is at position 1",
     add("dump-2.log", 5, {"event": {**stored(1, "a", 4), "position": 6,
                                     "time": 2000}})),
    ("nothing is stored that nobody sent", "nobody sent position 6",
     add("dump-2.log", 5, {"event": stored(6, "a", 4)})),
    ("numbers have no gaps", "stands where 5 is due",
     put("dump-2.log", 4, "event", "position", 6)),
    ("numbers have no gaps", "version 3 is due",
     put("dump-2.log", 3, "event", "version", 4)),
    ("numbers have no gaps", "head is 6", put("dump-2.log", -1, "head", 6)),
    ("time does not go back", "is of 1, after",
     put("dump-2.log", 3, "event", "time", 1)),
    ("what was read stays so", "has changed",
     put("dump-1.log", 1, "event", "time", 1)),
    ("what was read stays so", "had position 6",
     lambda history: history.update({"dump-1.log": [
         *history["dump-2.log"][:5], {"event": stored(6, "a", 4)},
         {"head": 6}]})),
    *(("a list has what the log has", "in another order",
       lambda history, index=index:
       history["dump-2.log"][index]["positions"].reverse())
      for index in (5, 6, 7)),
    ("what is refused is not stored", "2 of 2 events are there",
     put("append-2.log", 1, "code", "FULL")),
    ("what is refused is not stored", "2 of 2 events are there",
     end("append-2.log", CONFLICT)),
    ("an append is stored as a whole or not at all", "half of it",
     lambda history: history["append-2.log"][0]["writes"][0]["events"].append(
         sent(91))),
    ("an append is stored as a whole or not at all", "are not together",
     put("append-1.log", 0, "writes", 1, "events", [sent(5)]),
     put("append-2.log", 0, "writes", 1, "events", [sent(3)])),
    ("an event is where the answer says", "and is elsewhere",
     put("append-1.log", 1, "runs", 0, "version", 2)),
    ("what was expected was so", "expected 1 and got version 3",
     put("append-2.log", 0, "writes", 0, "expected", 1)),
    ("what was expected was so", "began it",
     put("append-1.log", 0, "writes", 1, "expected", -2)),
    ("a version has one winner", "was won by",
     replace("append-2.log", 1, {**SECOND_OK, "runs": [run(0, 2, 4, 1),
                                                       run(1, 2, 5, 1)]})),
    ("a refusal has a reason", "refused although",
     put("append-1.log", 4, "failures", 0, "actual", 0)),
    ("a refusal has a reason", "which ends at 3",
     put("append-1.log", 4, "failures", 0, "actual", 9)),
    ("a refusal has a reason", "without a reason",
     put("append-1.log", 4, "failures", [])),
    ("a refusal has a reason", "another expectation",
     put("append-1.log", 4, "failures", 0, "expected", 7)),
    ("what is sent after an answer is stored behind it",
     "is at 1, and 5 had been told",
     lambda history: history.update({
         "append-2.log": [history["append-2.log"][0], SECOND_OK,
                          *({**step, **{key: 2 for key in ("append", "answer")
                                        if key in step}}
                            for step in history.pop("append-1.log")[:2])]})),
    ("what is acknowledged can be read", "could not be read",
     put("append-1.log", 2, "found", None)),
    ("what is acknowledged can be read", "is not so any more",
     put("append-1.log", 2, "found", "position", 1)),
    ("no event is missed", "position 4 (a 3) came, position 3 (b 1) was due",
     cut("follow-1.log", 5)),
    ("events come in order, and once", "came after 1",
     add("follow-1.log", 2, {"event": stored(1, "a", 1)})),
    ("events come in order, and once", "came after 4",
     swap("follow-1.log", 5, 6), add("follow-1.log", 5, {
         "event": stored(3, "b", 1)})),
    ("events come as they are stored", "other content",
     put("follow-1.log", 1, "event", "data", "ff")),
    ("events come as they are stored", "other content",
     add("follow-1.log", -2, {"event": stored(6, "a", 4)})),
    ("only what is wanted comes", "position 2 (a 2) came",
     add("follow-2.log", 2, {"event": stored(2, "a", 2)})),
    ("only what is wanted comes", "position 4 (a 3) came",
     add("follow-3.log", 3, {"event": stored(4, "a", 3)})),
    ("a position is honest", "told 4 without position 3",
     add("follow-2.log", 2, {"position": 4})),
    ("a position is honest", "told 3 without position 3",
     put("follow-3.log", 1, "position", 3)),
    ("a position is honest", "told 4 after 5",
     add("follow-1.log", -1, {"position": 4})),
    ("a position is honest", "told 7 without",
     put("follow-2.log", -2, "position", 7)),
    ("a subscription goes on to the end", "got to 2, not to 5",
     cut("follow-1.log", 4, -1)),
    ("a subscription goes on to the end", "ended by the server",
     add("follow-1.log", 4, {"ended": "INVALID"})),
]

# ---- groups ----


def join(member, at, life="one"):
    return {"join": member, "life": life, "at": at}


def handed(member, fence, at, *positions, deliveries=()):
    return {"handed": member, "fence": fence, "positions": list(positions),
            "deliveries": list(deliveries), "at": at}


def answer(number, member, at, *items):
    return {"answer": number, "membership": member, "at": at,
            "items": [list(item) for item in items]}


def settled(number, at, count, *refused):
    return {"settled": number, "count": count, "refused": list(refused),
            "at": at}


def rest(at):
    return {"rest": at, "head": 8, "position": 8, "events": 0, "matching": 0,
            "in_hand": 0, "delayed": 0, "parked": 0}


def groups():
    """Streams a (1, 3, 5, 6, 8) and b (2, 7); 4 is not wanted. The first member
    acks 1, retries 3 and gets it again, dies with 5, and has parked 2. The
    second acks 5 and 6, the server is killed before that is saved, and it does
    so again, by an "up to". 2 is replayed and acked, and 7, which waited behind
    it, comes and is dropped; 8 is skipped."""
    return {
        "worker-1.log": [
            join(1, 10), handed(1, 1, 20, 1, 3, 2),
            answer(2, 1, 30, ("ack", 1, 1), ("retry", 1, 3)),
            settled(2, 40, 2),
            answer(3, 1, 42, ("ack", 1, 1)), settled(3, 44, 0, 0),
            handed(1, 2, 50, 3, deliveries=[[0, 2]]),
            answer(4, 1, 60, ("ack", 2, 3), ("park", 1, 2)),
            settled(4, 70, 2),
            handed(1, 3, 80, 5), {"gone": 1, "at": 90},
        ],
        "worker-2.log": [
            join(1, 11), handed(1, 4, 100, 5, 6, deliveries=[[0, 2]]),
            answer(2, 1, 110, ("ack", 4, 5), ("ack", 4, 6)),
            settled(2, 120, 2), {"gone": 1, "at": 130},
            join(3, 200, "two"), handed(3, 11, 210, 5, 6),
            answer(4, 3, 220, ("up_to", 11, 6)), settled(4, 230, 2),
            answer(5, 3, 235, ("ack", 4, 6)), settled(5, 238, 0, 0),
            handed(3, 12, 320, 2, deliveries=[[0, 2]]),
            answer(6, 3, 330, ("ack", 12, 2)), settled(6, 340, 1),
            handed(3, 13, 350, 8),
            answer(7, 3, 360, ("skip", 13, 8)), settled(7, 370, 1),
        ],
        "operator.log": [
            {"group": "g", "type": "T", "key_tag": "", "waits": True,
             "timeout": TIMEOUT, "deliveries_max": 4},
            {"list": 240, "parked": [[2, 0, 1, "b"]], "at": 250},
            {"replay": [2], "sent": 300, "count": 1, "at": 310},
            {"list": 342, "parked": [[7, 1, 0, "b"]], "at": 344},
            {"drop": [7], "sent": 380, "count": 1, "at": 390},
            rest(400),
            {"list": 410, "parked": [], "at": 420},
        ],
        "dump-1.log": dump(*(
            ("b" if position in (2, 7) else "a",
             "F" if position == 4 else "T", "", position)
            for position in range(1, 9))),
    }


def groups_go_on():
    """The same group, where 6 goes on behind 5, which is parked."""
    history = groups()
    history["operator.log"][0]["waits"] = False
    history["worker-2.log"][2:4] = [
        answer(2, 1, 110, ("park", 4, 5)), settled(2, 120, 1),
        handed(1, 5, 122, 6, deliveries=[[0, 2]])]
    history["operator.log"][1]["parked"].append([5, 0, 2, "a"])
    history["operator.log"].insert(1, {"replay": None, "sent": 150})
    history["operator.log"][4]["parked"].clear()
    return history


PARKED = "what is parked stays until it is handled or dropped"
REFUSED_FOR_NOTHING = (put("worker-2.log", 13, "refused", [0]),
                       put("worker-2.log", 13, "count", 0))

GROUPS_DAMAGED = [
    ("no event is lost", "position 8 is lost",
     put("worker-2.log", 16, "refused", [0])),
    ("no event is lost", "position 7 is lost",
     put("operator.log", 4, "drop", [4])),
    ("events of a key come in order", "before 5 of a was done",
     put("worker-1.log", 9, "positions", [6])),
    ("events of a key come in order", "before 3 of a was done",
     put("worker-1.log", 6, "positions", [5])),
    ("events of a key come in order", "before 2 of b was done",
     put("worker-1.log", 9, "positions", [5, 7])),
    ("events of a key come in order", "of k:1 was done",
     put("operator.log", 0, "key_tag", "k:")),
    ("a key has one member at a time", "was taken, after position 5",
     add("worker-1.log", 10, answer(5, 1, 105, ("ack", 3, 5)),
         settled(5, 106, 1))),
    ("a key has one member at a time", "handed to two at once",
     put("worker-2.log", 1, "fence", 3),
     put("worker-2.log", 2, "items", 0, 1, 3),
     put("worker-2.log", 2, "items", 1, 1, 3)),
    ("only what a member has is answered", "it did not have it",
     put("worker-2.log", 10, "refused", []),
     put("worker-2.log", 10, "count", 1)),
    ("an event is handled once", "answered twice",
     put("worker-1.log", 5, "refused", []), put("worker-1.log", 5, "count", 1)),
    ("an event is handled once", "position 3, handed to worker 1.1 under 3",
     put("worker-1.log", 9, "positions", [3])),
    ("what was taken back is not answered", "was taken, after retry of "
     "position 3", put("worker-1.log", 1, "positions", [1, 3, 5, 2]),
     add("worker-1.log", 4, answer(9, 1, 41, ("ack", 1, 5)),
         settled(9, 41, 1))),
    ("an answer is refused for a reason", "refused for no reason",
     *REFUSED_FOR_NOTHING),
    ("what was settled is counted", "1 were settled of",
     put("worker-1.log", 3, "count", 1)),
    ("deliveries are counted", "delivery 1, after 1",
     put("worker-1.log", 6, "deliveries", [])),
    (PARKED, "position 2 was parked, and is not there",
     put("operator.log", 1, "parked", [])),
    (PARKED, "position 7 was parked, and is not there",
     put("operator.log", 4, "drop", [4])),
    (PARKED, "parked and acked",
     put("operator.log", 3, "parked", [[2, 2, 2, "b"], [7, 1, 0, "b"]])),
    (PARKED, "handed to worker 2.3 under 12, after park",
     put("operator.log", 2, "replay", [9])),
    ("a group has what it wants", "does not want it",
     more("worker-1.log", 1, "positions", [4])),
    ("a group has what it wants", "is none of the group's",
     put("operator.log", 3, "parked", [[4, 1, 0, "a"], [7, 1, 0, "b"]])),
    *(("at rest nothing is left", "at rest", put("operator.log", 5, name, 1))
      for name in ("events", "matching", "in_hand", "delayed", "parked")),
    ("at rest nothing is left", "not at the head",
     put("operator.log", 5, "position", 7)),
    ("at rest nothing is left", "and listed",
     put("operator.log", 6, "parked", [[7, 1, 0, "b"]])),
]

# ---- leases ----


def ask(number, kind, at, fence=0, wait=0, duration=100):
    return {"ask": number, "kind": kind, "name": "a", "fence": fence,
            "duration": duration, "wait": wait, "at": at}


def told(number, at, code="OK", fence=0):
    return {"told": number, "code": code, "fence": fence, "at": at}


def leases():
    """The first holds it from 1010 and gives it up at 1150, the second waits
    for it and stays too long, the third is told the moment it may go."""
    return {
        "holder-1.log": [
            ask(1, "acquire", 1000), told(1, 1010, fence=5),
            ask(2, "renew", 1080, 5), told(2, 1090),
            ask(3, "append", 1100, 5), told(3, 1110),
            ask(4, "release", 1150, 5), told(4, 1160),
        ],
        "holder-2.log": [
            ask(1, "acquire", 1020), told(1, 1030, "HELD"),
            ask(2, "acquire", 1040, wait=500), told(2, 1155, fence=6),
            ask(3, "renew", 1160, 6), told(3, 1170),
            ask(4, "append", 1300, 6), told(4, 1310, "FENCED"),
        ],
        "holder-3.log": [
            ask(1, "acquire", 1200, wait=100), told(1, 1265, fence=7),
            ask(2, "append", 1266, 7), told(2, 1270),
        ],
        "dump-1.log": dump(("work-a", "Worked", "1 3 5", 1105),
                           ("work-a", "Worked", "3 2 7", 1268)),
    }


STORED_UNDER_LEASE = (
    "what is written under a lease is stored, what is refused is not")


def works(*data):
    """What is stored is this."""
    def damage(history):
        history["dump-1.log"] = dump(*(("work-a", "Worked", text, 1)
                                       for text in data))
    return damage


OLD_FENCE = (put("holder-3.log", 1, "fence", 4),
             put("holder-3.log", 2, "fence", 4), works("1 3 5", "3 2 4"))

LEASES_DAMAGED = [
    ("a lease has one holder", "two holders", put("holder-2.log", 3, "at",
                                                  1149)),
    ("a lease has one holder", "two holders", put("holder-3.log", 1, "at",
                                                  1255)),
    ("a lease has one holder", "and is that of",
     put("holder-3.log", 1, "fence", 6), cut("holder-3.log", 2, 4)),
    ("fences grow", "under 6 of 2", *OLD_FENCE),
    ("nothing is written under a lost fence", "is under 4, behind 5",
     *OLD_FENCE),
    ("nothing is written under a lost fence", "was accepted after 7",
     put("holder-2.log", 7, "code", "OK"), works("1 3 5", "3 2 7", "2 4 6")),
    ("a lease is kept for its time", "was lost at 1099",
     put("holder-1.log", 3, "code", "FENCED"),
     put("holder-1.log", 3, "at", 1099)),
    ("what was released is over", "after the release",
     end("holder-1.log", ask(5, "renew", 1170, 5), told(5, 1180))),
    (STORED_UNDER_LEASE, "told FENCED, is there",
     works("1 3 5", "2 4 6", "3 2 7")),
    (STORED_UNDER_LEASE, "told OK, is not there", works("3 2 7")),
    ("a lease has no other answers", "was told NOT_FOUND",
     put("holder-2.log", 1, "code", "NOT_FOUND")),
    ("a lease has no other answers", "was told CONFLICT",
     put("holder-2.log", 7, "code", "CONFLICT")),
]

# ---- schedules ----


def reply(number, wall, code="OK", cancelled=0):
    return {"told": number, "code": code, "cancelled": cancelled, "wall": wall}


def schedules():
    """Of a to g, b is moved, c is cancelled, d cannot be moved any more, e may
    have been cancelled, f is only known when g, which is due later, was done.
    """
    return {
        "planner-1.log": [
            {"ask": 1, "plan": [["a", 100, 1], ["b", 110, 2], ["c", 120, 1],
                                ["d", 100, 1], ["e", 130, 1], ["g", 190, 1]]},
            reply(1, 0, "UNKNOWN"), reply(1, 50),
            {"ask": 2, "move": "b", "due": 140}, reply(2, 60),
            {"ask": 3, "cancel": "c"}, reply(3, 70, cancelled=1),
            {"ask": 4, "move": "d", "due": 180}, reply(4, 125, "CONFLICT"),
            {"ask": 5, "cancel": "e"}, reply(5, 126, "UNKNOWN"),
            reply(5, 127),
            {"ask": 6, "plan": [["f", 180, 1]]}, reply(6, 200),
        ],
        "dump-1.log": dump(*((f"due-{name}", "Due", name, time)
                             for name, time in DONE)),
    }


DONE = (("a", 100), ("d", 100), ("b", 145), ("b", 145), ("g", 195), ("f", 199))


def done(*names_and_times):
    """These took place."""
    def damage(history):
        history["dump-1.log"] = dump(*((f"due-{name}", "Due", name, time)
                                       for name, time in names_and_times))
    return damage


SCHEDULES_DAMAGED = [
    ("a schedule takes place once", "a: 0 events instead of 1",
     done(*DONE[1:])),
    ("a schedule takes place once", "a: 2 events instead of 1",
     done(*DONE, ("a", 300))),
    ("a schedule takes place once", "e: 2 events instead of 1",
     done(*DONE, ("e", 300), ("e", 300))),
    ("a schedule takes place once", "b: 1 events instead of 2",
     done(*DONE[:3], *DONE[4:])),
    ("its events are together", "b: position 5",
     done(*DONE[:3], DONE[4], ("b", 195), DONE[5])),
    ("what is cancelled or done is over", "c was cancelled, and took place",
     done(*DONE, ("c", 300))),
    ("what is cancelled or done is over", "was moved, and was not there",
     end("planner-1.log", {"ask": 7, "move": "c", "due": 900},
         reply(7, 300))),
    ("none is early", "1 us early",
     done(*DONE[:2], ("b", 139), ("b", 139), *DONE[4:])),
    ("they are done in the order of their times",
     "d, due at 100, took place before a",
     done(("d", 100), ("a", 100), *DONE[2:])),
    ("they are done in the order of their times",
     "g, due at 190, took place before f",
     put("planner-1.log", -1, "wall", 194)),
    ("a schedule has no other answers", "a was refused: FENCED",
     put("planner-1.log", 2, "code", "FENCED")),
    ("a schedule has no other answers", "a move of d was told BROKEN",
     put("planner-1.log", 8, "code", "BROKEN")),
    ("nothing takes place that nobody planned", "position 7 (due-h 1): h",
     done(*DONE, ("h", 300))),
]

# ---- checkpoints ----


def claim(number, at, name="c"):
    return {"ask": number, "kind": "claim", "name": name, "epoch": 0, "at": at}


def move(number, at, epoch, start, to, name="c"):
    return {"ask": number, "kind": "move", "name": name, "epoch": epoch,
            "from": start, "to": to, "at": at}


def heard(number, at, code="OK", epoch=0, position=0):
    return {"told": number, "code": code, "epoch": epoch,
            "position": position, "at": at}


def checkpoints():
    """The first moves it to 3 and to 5, which it is not told; the second claims
    it, moves it to 9, and the first, which does not know, is refused."""
    return {
        "keeper-1.log": [
            claim(1, 2000), heard(1, 2010, epoch=11),
            move(2, 2020, 11, 0, 3), heard(2, 2030),
            move(3, 2040, 11, 3, 5), heard(3, 2060, "UNKNOWN"),
            move(4, 2100, 11, 3, 6), heard(4, 2110, "FENCED"),
            claim(5, 2300),
        ],
        "keeper-2.log": [
            claim(1, 2050), heard(1, 2070, epoch=12, position=5),
            move(2, 2080, 12, 5, 9), heard(2, 2090),
            move(3, 2095, 12, 8, 9), heard(3, 2099, "CONFLICT"),
            claim(4, 2120), heard(4, 2130, epoch=13, position=9),
            move(5, 2140, 13, 9, 9), heard(5, 2150),
            claim(6, 2160, "d"), heard(6, 2170, epoch=14),
            move(7, 2180, 14, 0, 1, "d"), heard(7, 2190),
            claim(8, 2195, "e"), heard(8, 2197, epoch=15),
        ],
        "dump-1.log": dump(*MOVED),
    }


def moved(name, data, time):
    return f"moved-{name}", "Moved", data, time


MOVED = (moved("c", "1 2 11 0 3", 2025), moved("c", "1 3 11 3 5", 2045),
         moved("c", "2 2 12 5 9", 2085), moved("c", "2 5 13 9 9", 2145),
         moved("d", "2 7 14 0 1", 2185), moved("f", "3 1 9 0 4", 2185))


def moves(*events):
    def damage(history):
        history["dump-1.log"] = dump(*events)
    return damage


MOVE_AS_TOLD = "a move that is told is stored, one that is refused is not"

CHECKPOINTS_DAMAGED = [
    ("a checkpoint moves from where it is", "from 5 to 9 under 12, and it is "
     "at 3", moves(MOVED[0], *MOVED[2:])),
    ("a checkpoint does not go back", "from 9 to 8 under 13",
     moves(*MOVED[:3], moved("c", "2 5 13 9 8", 2145), *MOVED[4:])),
    ("a checkpoint moves under its epoch", "from 9 to 9 under 10, after 12",
     moves(*MOVED[:3], moved("c", "2 5 10 9 9", 2145), *MOVED[4:])),
    ("a checkpoint moves under its epoch", "after 12 had begun",
     put("keeper-1.log", 7, "code", "OK")),
    ("every claim begins an epoch", "after 12",
     put("keeper-2.log", 7, "epoch", 12)),
    ("every claim begins an epoch", "after 11",
     put("keeper-2.log", 1, "epoch", 11)),
    ("an epoch goes on until the next claim", "'FENCED'",
     put("keeper-2.log", 13, "code", "FENCED"),
     moves(*MOVED[:4], MOVED[5])),
    ("a claim is told where the checkpoint is", "and it is at 5",
     put("keeper-2.log", 1, "position", 3)),
    ("a claim is told where the checkpoint is", "and it is at 0",
     put("keeper-2.log", 15, "position", 3)),
    (MOVE_AS_TOLD, "is not there", moves(*MOVED[1:])),
    (MOVE_AS_TOLD, "is there",
     moves(*MOVED[:2], moved("c", "1 4 11 5 6", 2046), *MOVED[2:])),
    ("a checkpoint has no other answers", "'FULL'",
     put("keeper-1.log", 7, "code", "FULL")),
    ("a checkpoint has no other answers", "'FENCED'",
     put("keeper-2.log", 7, "code", "FENCED")),
]

# ---- all of them ----

GOOD = [
    (appends, {"acknowledged": 1, "refused": 1, "unknown": 1, "followers": 3,
               "delivered": 10, "dumps": 2, "lists": 3, "reads_after_ack": 1}),
    (groups, {"wanted": 7, "keys": 2, "parked": 1}),
    (groups_go_on, {"wanted": 7}),
    (leases, {"granted": 3, "granted_after_waiting": 2}),
    (schedules, {"planned": 7, "moved": 1, "cancelled": 1, "late": 1}),
    (checkpoints, {"claimed": 5, "moves": 6, "moves_fenced": 1}),
]

DAMAGED = [
    (good, *row) for good, rows in (
        (appends, APPENDS_DAMAGED), (groups, GROUPS_DAMAGED),
        (leases, LEASES_DAMAGED), (schedules, SCHEDULES_DAMAGED),
        (checkpoints, CHECKPOINTS_DAMAGED)) for row in rows]

# What a row says is not objected to, though it looks so.
INNOCENT = [
    (appends, "what is refused is not stored",
     end("append-2.log", {
         "answer": 1, "code": "CONFLICT", "repeated": False, "runs": [],
         "failures": [{"write": 1, "expected": -2, "actual": 0}]})),
    (groups, "an answer is refused for a reason", *REFUSED_FOR_NOTHING,
     more("worker-2.log", 13, "at", TIMEOUT)),
    (leases, STORED_UNDER_LEASE, works("1 3 5", "1 5 5", "3 2 7"),
     end("holder-1.log", ask(5, "append", 1170, 5))),
]


def no_rest(history):
    history["operator.log"] = [step for step in history["operator.log"]
                               if "rest" not in step]


def nothing_refused(history):
    for name in ("worker-1.log", "worker-2.log"):
        history[name] = [step for step in history[name]
                         if step.get("refused") != [0]]


# A good history of which too little is left.
TOO_LITTLE = [
    (appends, put("append-1.log", 1, "code", "UNKNOWN"),
     cut("append-1.log", 2)),
    (appends, drop("follow-2.log", "follow-3.log"),
     replace("follow-1.log", 0, {"follow": 5, "type": None}),
     cut("follow-1.log", 1, 8)),
    (groups, nothing_refused),
    (leases, drop("holder-3.log"), cut("holder-2.log", 2, 8),
     cut("dump-1.log", 1), put("dump-1.log", -1, "head", 1)),
    (checkpoints, drop("keeper-1.log"), cut("keeper-2.log", 0, 16), moves()),
]

MALFORMED = [
    (appends, cut("dump-2.log", -1)),
    (appends, cut("dump-1.log", -1)),
    (appends, end("append-1.log", {"x": 1})),
    (appends, end("follow-1.log", {"follow": 4, "type": None})),
    (appends, drop("dump-1.log", "dump-2.log")),
    (appends, drop("append-1.log", "append-2.log", "follow-1.log",
                   "follow-2.log", "follow-3.log")),
    (groups, no_rest),
    (schedules, cut("planner-1.log", 2, 14), done()),
]
