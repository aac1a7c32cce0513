"""What acta says when no answer comes to a change: what it takes to send the
same again, so that it counts once. The server is one that greets, hears what is
asked for, and has no answer to it.

    test_unanswered.py ACTA MESSAGES

MESSAGES are those of proto/vectors, one of which is the greeting.
"""

import json
import re
import socket
import subprocess
import sys
import threading

ID = "0190163d-8694-739b-aea5-966c26f8ad91"
TIMED_OUT = 7


def serve(listener, greeting, refusal, heard):
    """Greet, hear what is asked for, and hang up; refuse who comes again."""
    while True:
        for answer in (greeting, refusal):
            with listener.accept()[0] as peer:
                peer.recv(65536)
                peer.sendall(answer)
                heard.extend(peer.recv(65536))


def main():
    acta, messages = sys.argv[1:]
    with open(messages) as file:
        frames = {message["name"]: bytes.fromhex(message["frame"])
                  for message in json.load(file)}
    listener = socket.create_server(("127.0.0.1", 0))
    heard = bytearray()
    threading.Thread(target=serve, daemon=True,
                     args=(listener, frames["welcome"], frames["error"],
                           heard)).start()
    url = f"acta://127.0.0.1:{listener.getsockname()[1]}"

    def try_it(*words, lines=""):
        """The hint that comes of it."""
        heard.clear()
        done = subprocess.run(
            [acta, *words, "-s", url], input=lines, capture_output=True,
            text=True)
        assert done.returncode == TIMED_OUT, done
        said = re.fullmatch(r"acta: (?:\S+: )?it may have been done: .*\n"
                            r"hint: (.*)\n",
                            done.stderr)
        assert said, done.stderr
        return said[1]

    hint = try_it("append", "s-1", "T", "1")
    new_id = re.fullmatch("the same again with --id ([0-9a-f-]{36}) counts "
                          "once", hint)
    assert new_id, hint
    assert bytes.fromhex(new_id[1].replace("-", "")) in heard, hint

    hint = try_it("append", "s-1", "T", "1", "--id", ID)
    assert hint == f"the same again with --id {ID} counts once", hint

    hint = try_it("append", "s-1", "T", "1", "--command", ID)
    assert hint == "the same again with the same --command counts once", hint

    line = '{"stream":"s-1","type":"T","data":1}\n'
    hint = try_it("append", "--atomic", lines=2 * line)
    first = re.match("acta event ([0-9a-f-]{36}) tells", hint)
    assert first, hint
    assert bytes.fromhex(first[1].replace("-", "")) in heard, hint

    for words in (["append", "s-1", "T", "1", "--name", "late", "--delay",
                   "1h"],
                  ["schedule", "cancel", "late"],
                  ["stream", "delete", "s-1"],
                  ["consumer", "pause", "c"]):
        hint = try_it(*words)
        assert "--id" not in hint, hint


main()
