#!/usr/bin/env python3
"""Judges a history: what clients sent and were told, and what is stored.

    check.py [--few | --want=COUNT,...] DIRECTORY

It shares no code with the server or the client library. It looks at whatever
logs are there (README.md tells what they say), prints what it objects to and
one line of JSON with counts, and ends with 0 if there is nothing, with 1 if
there is something, and with 2 if it cannot tell: because a log is none, or, but
with --few, too little has happened (as it has if one of the counts that are
wanted is 0), or because it has stumbled itself.
"""

import gc
import json
import sys
import traceback

from appends import Appends
from checkpoints import Checkpoints
from findings import Findings
from followers import Followers
from groups import Groups
from leases import Leases
from logs import Logs, Malformed, TooLittle
from schedules import Schedules
from stored import Stored

# Those that read logs of their own. Events of their types may be stored though
# no append is written down.
JUDGES = (Groups, Leases, Schedules, Checkpoints)


WANT = "--want="


def judge(directory, is_few=False, wanted=()):
    """Returns (Findings, counts)."""
    logs, findings = Logs(directory), Findings()
    stored = Stored(logs, findings)
    counts = stored.judge()
    judges = [kind(logs, stored, findings)
              for kind in JUDGES if logs.paths(kind.LOGS)]
    verdicts = [one.judge for one in judges]
    if logs.paths(Followers.LOGS):
        verdicts.insert(0, Followers(logs, stored, findings).judge)
    if logs.paths(Appends.LOGS):
        types = {kind for one in judges for kind in (one.TYPE, *one.BESIDES)}
        appends = Appends(logs, stored, findings)
        verdicts.insert(0, lambda: appends.judge(types))
    if not verdicts:
        raise Malformed(f"{directory}: nobody wrote down what it did")
    for verdict in verdicts:
        try:
            counts |= verdict()
        except TooLittle as little:
            if not is_few:
                raise
            counts |= little.counts
    if not findings.count() and not all(counts[name] for name in wanted):
        raise TooLittle(counts)
    return findings, counts


def main():
    *options, directory = sys.argv[1:] or ["--help"]
    is_few = options == ["--few"]
    wanted = [name for option in options if option.startswith(WANT)
              for name in option.removeprefix(WANT).split(",")]
    if len(options) != is_few + bool(wanted) or directory[:1] == "-":
        print("usage: check.py [--few | --want=COUNT,...] DIRECTORY",
              file=sys.stderr)
        return 2
    gc.disable() # What is read is kept until the end.
    try:
        findings, counts = judge(directory, is_few, wanted)
    except (Malformed, KeyError, IndexError, ValueError, OSError) as error:
        print(f"check.py: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    except Exception: # Else Python would end with 1: something was found.
        traceback.print_exc()
        return 2
    for text in findings.texts:
        print(text)
    print(json.dumps({**counts, "problems": findings.count(),
                      "broken": dict(findings.by_promise)}))
    return 1 if findings.count() else 0


if __name__ == "__main__":
    sys.exit(main())
