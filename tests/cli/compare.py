"""Are these the same events?

    compare.py [--in-order] EXPORTED SENT...

compares what acta export has written with the files that were imported: the
bytes of data and metadata as they stand in the lines, type and tags; stream by
stream or, with --in-order, event by event.
"""

import json
import sys

decoder = json.JSONDecoder()


def members(line):
    """The raw text of every member of the object in line."""
    found = {}
    at = 1
    while line[at] != "}":
        if line[at] in ", ":
            at += 1
            continue
        key, at = decoder.raw_decode(line, at)
        at = line.index(":", at) + 1
        while line[at] == " ":
            at += 1
        _, end = decoder.raw_decode(line, at)
        found[key] = line[at:end]
        at = end
    return found


def read(path):
    with open(path, encoding="utf-8", newline="\n") as file:
        for line in file:
            if line.strip():
                yield members(line.rstrip("\n"))


def content(event):
    return (
        json.loads(event["stream"]),
        json.loads(event["type"]),
        event["data"],
        event.get("metadata"),
        json.loads(event.get("tags", "[]")),
    )


def by_stream(events):
    streams = {}
    for event in events:
        streams.setdefault(event[0], []).append(event)
    return streams


def main():
    arguments = sys.argv[1:]
    in_order = arguments[0] == "--in-order"
    exported, *paths = arguments[in_order:]
    got = [content(event) for event in read(exported)]
    sent = [content(event) for path in paths for event in read(path)]
    same = got == sent if in_order else by_stream(got) == by_stream(sent)
    print(len(got), "events,", "the same" if same else "NOT the same")


main()
