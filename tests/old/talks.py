#!/usr/bin/env python3
"""What clients of some version said, and what the server of that time answered,
with clients and servers of today.

    talks.py BUILD replay FILE...
    talks.py BUILD record >tests/old/talks-N.txt

A file has, for each command of a client in turn, what it was, the frames that
it sent and got, in hex, with the number of their connection unless it is the
first one, what it printed, and its exit code. They are replayed
in both directions: what was sent is sent to a server of today, which must
answer as it was answered then; and the same commands of today ask a server that
answers what was answered then, and must print what was printed.

Each again with what a newer peer would add: a client that says that it speaks
newer versions too, that asks in kinds and fields that are not known and is
refused, which changes nothing; a server that tells more than is known.

What may be otherwise is in may_differ(). It shares no code with either side.
"""

import json
import os
import re
import shlex
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HEADER = struct.Struct(">BBHIQ")  # Magic, kind, flags, size, request id.
MAGIC = 0xAC
HELLO, PING, APPEND, SUBSCRIBE, UNKNOWN = 0x01, 0x02, 0x10, 0x30, 0x7F
ERROR, WELCOME, PONG, STATUS_REPLY = 0x80, 0x81, 0x82, 0x83
LEASE_CHANGED, CONSUMERS, CONSUMER = 0x93, 0xAB, 0xAC
HANDED, VERIFIED = 0xB9, 0xC7
UNSUPPORTED = 13
FIELDS = {APPEND: 10, SUBSCRIBE: 5}  # Of requests whose last ones may be missing.
PATIENCE_S = 30

ORDER = "0190163d-8694-739b-aea5-966c26f8ad%02x"

# The commands of a recording: each does one thing after another. A group's
# events are of one stream, so that they are handed out one by one.
COMMANDS = [
    f"acta append order-1 Placed '{{\"n\":1}}' --expect 0 --tag customer:7"
    f" --meta '{{\"by\":\"ann\"}}' --id {ORDER % 1} --json",
    f"acta append order-1 Placed '{{\"n\":1}}' --expect 0 --tag customer:7"
    f" --meta '{{\"by\":\"ann\"}}' --id {ORDER % 1} --json",
    f"acta append order-1 Paid 2 --expect 0 --id {ORDER % 2} --json --unseen 5",
    f"acta append order-1 Paid 2 --expect 1 --id {ORDER % 2} --json"
    f" --corr {ORDER % 1} --cause {ORDER % 1}",
    f"acta append order-2 Placed x --id {ORDER % 3} --json --check order-1=2"
    f" --command {ORDER % 64}",
    f"acta append order-2 Placed x --id {ORDER % 4} --json --check order-1=2"
    f" --command {ORDER % 64}",
    f"acta append seat-7 Taken 1 --id {ORDER % 5} --json"
    " --if-none '--type Taken --tag seat:7'  --tag seat:7",
    f"acta append seat-7 Taken 2 --id {ORDER % 6} --json"
    " --if-none '--type Taken --tag seat:7' --after 2",
    "acta read order-1 --json",
    "acta read --all --reverse --json",
    "acta read --category order --type Paid --or --tag seat:7 --json",
    "acta read --all --since 2020-01-01 --json",
    "acta read nowhere --json",
    f"acta event {ORDER % 2} --json",
    "acta event order-2 1 --json",
    "acta event order-2 9 --json",
    "projector board 0",
    "projector other 3",
    "acta streams --json",
    "acta types --json",
    "acta tags customer --json",
    "acta snapshot put order-1 2 '{\"total\":2}' --json",
    "acta snapshot show order-1 --json",
    "acta consumer create mailers --stream order-1 --json",
    "acta consumer show mailers --json",
    "member mailers ack park:no",
    "acta consumer parked ls mailers --json",
    "acta consumer parked replay mailers 2",
    "member mailers ack",
    "acta consumer claim mover --category order --from start --json",
    "acta consumer reset mover end --json",
    "acta consumer ls --json",
    f"acta append order-3 Late 1 --id {ORDER % 9} --json --lease shift=1",
    "acta lease run shift --holder ann --duration 1h -q -- true",
    "acta lease ls --json",
    f"acta append order-3 Late 1 --id {ORDER % 7} --json --name late"
    " --at 2200-01-01",
    "acta schedule ls --json",
    "acta schedule cancel late --json",
    "acta stream set order-1 --max-count 1 --json",
    "acta stream show order-1 --json",
    "acta erase order-2 1 --yes --no-wait --json",
    "acta read order-2 --json",
    "acta stream delete order-2 --json",
    "acta stream tombstone order-2 --yes --json",
    f"acta append order-2 Placed 3 --id {ORDER % 8} --json",
    "acta verify -q",
]


def fail(*words):
    sys.exit(" ".join(str(word) for word in words))


# ---- frames ----


class Frames:
    """The frames that come from a socket."""

    def __init__(self, connection):
        self.connection = connection
        self.bytes = b""

    def next(self):
        """The next one with its header, or None at the end."""
        while True:
            if len(self.bytes) >= HEADER.size:
                size = HEADER.size + HEADER.unpack_from(self.bytes)[3]
                if len(self.bytes) >= size:
                    frame, self.bytes = self.bytes[:size], self.bytes[size:]
                    return frame
            try:
                more = self.connection.recv(65536)
            except ConnectionResetError:
                more = b""
            if not more:
                return None
            self.bytes += more


def kind_of(frame):
    return frame[1]


def id_of(frame):
    return HEADER.unpack_from(frame)[4]


def frame_of(kind, request, body):
    return HEADER.pack(MAGIC, kind, 0, len(body), request) + body


def body_of(frame):
    return frame[HEADER.size:]


def take_array(body):
    """The number of elements of the array that @body is, and where they are."""
    first = body[0]
    if first & 0xF0 == 0x90:
        return first & 0x0F, 1
    sizes = {0xDC: (">H", 3), 0xDD: (">I", 5)}
    form, start = sizes[first]
    return struct.unpack_from(form, body, 1)[0], start


def padded(frame, count):
    """The same with nil for all fields up to @count."""
    body = body_of(frame)
    fields, start = take_array(body)
    array = struct.pack(">BH", 0xDC, count)
    body = array + body[start:] + b"\xc0" * (count - fields)
    return frame_of(kind_of(frame), id_of(frame), body)


class Values:
    """The values of msgpack, of which a list that may be long is a tuple here,
    and so is not taken for fields, of which there may be more."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def number(self, form):
        value, = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(form)
        return value

    def bytes(self, size):
        self.at += size
        return bytes(self.data[self.at - size:self.at])

    def array(self, size):
        return [self.next() for _ in range(size)]

    def next(self):
        first = self.number("B")
        if first < 0x80:
            return first
        if first >= 0xE0:
            return first - 0x100
        if first & 0xF0 == 0x90:
            return self.array(first & 0x0F)
        if first & 0xE0 == 0xA0:
            return self.bytes(first & 0x1F)
        simple = {0xC0: None, 0xC2: False, 0xC3: True}
        if first in simple:
            return simple[first]
        sized = {0xC4: "B", 0xC5: "H", 0xC6: "I",
                 0xD9: "B", 0xDA: "H", 0xDB: "I"}
        if first in sized:
            return self.bytes(self.number(sized[first]))
        numbers = {0xCC: "B", 0xCD: "H", 0xCE: "I", 0xCF: "Q",
                   0xD0: "b", 0xD1: "h", 0xD2: "i", 0xD3: "q"}
        if first in numbers:
            return self.number(numbers[first])
        if first == 0xDC:
            return self.array(self.number("H"))
        if first == 0xDD:
            return tuple(self.array(self.number("I")))
        fail(f"a value that begins with {first:#x}")


# ---- is it the same? ----


def is_time(value):
    """Microseconds since 1970, in our days."""
    return isinstance(value, int) and 1_600_000_000e6 < value < 3_000_000_000e6


def may_differ(kind, path, then, now):
    """Times; who the server is; limits that have grown; how long ago something
    was, or how long it lasts; and how many pages and entries it has for what it
    keeps."""
    if is_time(then) and is_time(now):
        return True
    if kind == WELCOME:
        is_limit = path[0] == 6 and len(path) == 2
        return path in ((1,), (2,), (4,)) or (is_limit and now > then)
    if kind == LEASE_CHANGED:
        return path in ((1,), (3,))
    if kind in (CONSUMERS, CONSUMER):
        return path[-2:] == (7, 3)
    return kind == VERIFIED


def differences(kind, then, now, path=()):
    """What is not the same, in words. More fields of a message, or of what is
    in a list, are for clients to pass over."""
    if type(then) is not type(now):
        if not may_differ(kind, path, then, now):
            yield f"{path}: {now}, not {then}"
        return
    if isinstance(then, (list, tuple)):
        are_fields = isinstance(then, list) and len(path) in (0, 1, 2)
        if len(now) < len(then) or (len(now) > len(then) and not are_fields):
            yield f"{path}: {len(now)} elements, not {len(then)}"
        for i, (a, b) in enumerate(zip(then, now)):
            yield from differences(kind, a, b, (*path, i))
    elif then != now and not may_differ(kind, path, then, now):
        yield f"{path}: {now}, not {then}"


def compare_frames(then, now):
    """They must be the same; returns their fields."""
    fields = Values(body_of(then)).next(), Values(body_of(now)).next()
    if kind_of(then) == STATUS_REPLY:  # What it has names for is still told.
        names = [{entry[0] for entry in entries} for entries, *_ in fields]
        found = [f"no {name.decode()}" for name in names[0] - names[1]]
    else:
        found = list(differences(kind_of(then), *fields))
    if found:
        fail(f"kind {kind_of(then):#x}, request {id_of(then)}:", "; ".join(found))
    return fields


# ---- what is kept ----


class Talk:
    def __init__(self, command):
        self.command = command
        # The connection, True if it was the client's, and the frame.
        self.frames = []
        self.printed = []
        self.status = 0

    def write(self, file):
        print("$", self.command, file=file)
        for number, is_asked, frame in self.frames:
            mark = (str(number) if number > 1 else "") + "<>"[is_asked]
            print(mark, frame.hex(), file=file)
        for line in self.printed:
            print("|", line, file=file)
        print("=", self.status, file=file)


def read_talks(name):
    talks = []
    for line in Path(name).read_text().splitlines():
        mark, _, rest = line.partition(" ")
        if mark == "$":
            talks.append(Talk(rest))
        elif mark[-1] in "<>":
            talks[-1].frames.append((int(mark[:-1] or 1), mark[-1] == ">",
                                     bytes.fromhex(rest)))
        elif mark == "|":
            talks[-1].printed.append(rest)
        elif mark == "=":
            talks[-1].status = int(rest)
    return talks


# ---- a server of today ----


class Server:
    def __init__(self, build):
        self.home = tempfile.TemporaryDirectory(prefix="acta-talks-")
        port = Path(self.home.name, "port")
        self.process = subprocess.Popen(
            [os.environ.get("ACTA_TEST_ACTAD", build / "server/actad"),
             "--data-dir", self.home.name + "/data",
             "--listen", "127.0.0.1:0", "--port-file", port,
             "--journal-segment-size", "4MiB", "--store-map-size", "1GiB",
             "--disk-reserve", "1MiB", "--hello-timeout", "60s",
             "--log-level", "error"])
        until = time.monotonic() + 3 * PATIENCE_S
        while not port.exists() or not port.read_text().strip():
            if time.monotonic() > until or self.process.poll() is not None:
                self.stop()
                fail("actad does not start")
            time.sleep(0.01)
        self.address = ("127.0.0.1", int(port.read_text()))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.process.terminate()
        status = self.process.wait(3 * PATIENCE_S)
        self.home.cleanup()
        if status != 0:
            fail("actad ended with", status)


class Client:
    """Sends what was sent, and expects what came."""

    def __init__(self, address):
        self.connection = socket.create_connection(address, PATIENCE_S)
        self.frames = Frames(self.connection)
        self.waiting = []  # Came, and was not expected yet.
        self.fences = {}  # Those of then, and those of now, as in a frame.

    def close(self):
        self.connection.close()

    def send(self, frame):
        self.connection.sendall(frame)

    def note_fences(self, kind, then, now):
        """Under which events are handed out is the server's to choose."""
        if kind == HANDED:
            self.fences[struct.pack(">Q", then[0])] = struct.pack(">Q", now[0])

    def with_fences(self, frame):
        for then, now in self.fences.items():
            frame = frame.replace(then, now)
        return frame

    def expect(self, kind, request):
        """The next frame of this kind in answer to this request."""
        for frame in self.waiting:
            if (kind_of(frame), id_of(frame)) == (kind, request):
                self.waiting.remove(frame)
                return frame
        while (frame := self.frames.next()) is not None:
            if (kind_of(frame), id_of(frame)) == (kind, request):
                return frame
            if kind_of(frame) == ERROR:
                fail(f"instead of {kind:#x} an error:",
                     Values(body_of(frame)).next())
            self.waiting.append(frame)
        fail(f"closed, instead of {kind:#x} for request {request}")

    def expect_unsupported(self, request):
        while (frame := self.frames.next()) is not None:
            if id_of(frame) == request:
                break
            self.waiting.append(frame)
        else:
            fail(f"closed, and request {request} is not refused")
        fields = Values(body_of(frame)).next()
        if kind_of(frame) != ERROR or fields[0] != UNSUPPORTED:
            fail(f"kind {kind_of(frame):#x} is not a refusal:", fields)


def say_hello(frame, lowest, highest):
    """A client's hello, but with these versions."""
    body = body_of(frame)
    return frame_of(HELLO, id_of(frame),
                    body[:1] + bytes((lowest, highest)) + body[3:])


def ask_too_much(client, frame):
    """The same request with a field that is not known, and one of a kind that
    is not known."""
    kind = kind_of(frame)
    fields = FIELDS.get(kind, take_array(body_of(frame))[0])
    client.send(padded(frame, fields + 1))
    client.expect_unsupported(id_of(frame))
    client.send(frame_of(UNKNOWN, id_of(frame), b"\x91\xc0"))
    client.expect_unsupported(id_of(frame))


def replay_to_server(build, talks, is_newer):
    """What was asked is asked; returns how many frames were compared."""
    count = 0
    with Server(build) as server:
        for talk in talks:
            clients = {}
            for number, is_asked, frame in talk.frames:
                if number not in clients:
                    clients[number] = Client(server.address)
                client = clients[number]
                if is_asked and is_newer and kind_of(frame) == HELLO:
                    client.send(say_hello(frame, 1, 0x7F))
                elif is_asked:
                    if is_newer:
                        ask_too_much(client, frame)
                    client.send(client.with_fences(frame))
                else:
                    kind = kind_of(frame)
                    now = client.expect(kind, id_of(frame))
                    client.note_fences(kind, *compare_frames(frame, now))
                    count += 1
            for client in clients.values():
                client.close()
                if client.waiting:
                    fail(talk.command, "got more than then:",
                         [frame.hex() for frame in client.waiting])
    return count


def refuse_what_is_too_new(build, talks):
    """A client that speaks newer versions only gets an error, and the end."""
    hello = talks[0].frames[0][2]
    with Server(build) as server:
        for newer in (say_hello(hello, 2, 3), padded(hello, 5)):
            client = Client(server.address)
            client.send(newer)
            client.expect_unsupported(id_of(newer))
            if client.frames.next() is not None:
                fail("after a hello that is refused something else came")
            client.close()


# ---- clients of today ----


def run_command(build, command, address):
    """Returns what it printed, and its exit code."""
    program, *words = shlex.split(command)
    url = f"acta://{address[0]}:{address[1]}"
    if program == "acta":
        words = [build / "tools/acta", *words]
    else:
        words = [build / "tests/cli" / program, url, *words]
    done = subprocess.run(
        words, env={**os.environ, "ACTA_SERVER": url, "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False,
        timeout=3 * PATIENCE_S)
    printed = re.sub(r'"took_us":\d+', '"took_us":N', done.stdout)
    return printed.splitlines(), done.returncode


def accept(listener):
    connection, _ = listener.accept()
    connection.settimeout(PATIENCE_S)
    return connection, Frames(connection)


def answer(listener, talk, is_newer, found):
    """Be the server that @talk was with."""
    peers = {}
    ids = {}
    for number, is_asked, frame in talk.frames:
        if number not in peers:
            peers[number] = accept(listener)
        connection, frames = peers[number]
        if is_asked:
            now = frames.next()
            while now is not None and kind_of(now) == PING != kind_of(frame):
                # Something took long, and it asks whether the server is there.
                connection.sendall(frame_of(PONG, id_of(now), b"\x91\x00"))
                now = frames.next()
            if now is None or kind_of(now) != kind_of(frame):
                found.append("asks in another way")
                break
            ids[number, id_of(frame)] = id_of(now)
        else:
            body = body_of(frame)
            if is_newer:
                body = body_of(padded(frame, take_array(body)[0] + 2))
            request = ids.get((number, id_of(frame)), id_of(frame))
            try:
                connection.sendall(frame_of(kind_of(frame), request, body))
            except OSError:
                found.append("does not wait for all")
                break
    for connection, frames in peers.values():
        if not found and frames.next() is not None:
            found.append("asks for more")
        connection.close()


def replay_to_clients(build, talks, is_newer):
    """What was answered is answered; returns how many lines were compared."""
    count = 0
    for talk in talks:
        found = []
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(3 * PATIENCE_S)
            server = threading.Thread(target=answer, daemon=True,
                                      args=(listener, talk, is_newer, found))
            server.start()
            printed, status = run_command(build, talk.command,
                                          listener.getsockname())
            server.join(3 * PATIENCE_S)
        if found or (printed, status) != (talk.printed, talk.status):
            fail(talk.command, *found, "printed", "\n".join(printed),
                 "\nand ended with", status, "; then it was",
                 "\n".join(talk.printed), "\nand", talk.status)
        count += len(printed) + 1
    return count


def refused_by_what_is_too_old(build, talks):
    """A server that knows no version of today's client says so: the client
    tells its user, and does not try for ever."""
    talk = Talk(talks[0].command)
    hello = talks[0].frames[0][2]
    text = b"this server is too old"
    body = (b"\x94" + bytes((UNSUPPORTED, 0xA0 + len(text))) + text
            + b"\x90\xc0")
    talk.frames = [(1, True, hello),
                   (1, False, frame_of(ERROR, id_of(hello), body))]
    found = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(3 * PATIENCE_S)
        server = threading.Thread(target=answer, daemon=True,
                                  args=(listener, talk, False, found))
        server.start()
        printed, status = run_command(build, talk.command,
                                      listener.getsockname())
    if status == 0 or text.decode() not in "\n".join(printed):
        fail("refused by a server that is too old, a client says", printed,
             "and ends with", status)


# ---- recording ----


def carry(source, sink, talk, number, is_asked):
    frames = Frames(source)
    while (frame := frames.next()) is not None:
        talk.frames.append((number, is_asked, frame))
        try:
            sink.sendall(frame)
        except OSError:
            break
    try:
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def relay(listener, address, talk):
    """Carry what goes over all connections, until no more are accepted."""
    carriers = []
    sockets = []
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            break
        server = socket.create_connection(address)
        number = len(sockets) // 2 + 1
        sockets += [client, server]
        for ends in ((client, server, talk, number, True),
                     (server, client, talk, number, False)):
            carriers.append(threading.Thread(target=carry, args=ends))
            carriers[-1].start()
    for carrier in carriers:
        carrier.join()
    for connection in sockets:
        connection.close()


def record(build, file):
    with Server(build) as server:
        for command in COMMANDS:
            talk = Talk(command)
            with socket.create_server(("127.0.0.1", 0)) as listener:
                between = threading.Thread(
                    target=relay, args=(listener, server.address, talk))
                between.start()
                talk.printed, talk.status = run_command(
                    build, command, listener.getsockname())
                listener.shutdown(socket.SHUT_RDWR)
                between.join()
            talk.write(file)


def main():
    build = Path(sys.argv[1]).resolve()
    if sys.argv[2] == "record":
        record(build, sys.stdout)
        return
    for name in sys.argv[3:]:
        talks = read_talks(name)
        frames = lines = 0
        for is_newer in (False, True):
            frames += replay_to_server(build, talks, is_newer)
            lines += replay_to_clients(build, talks, is_newer)
        refuse_what_is_too_new(build, talks)
        refused_by_what_is_too_old(build, talks)
        print(json.dumps({"test": "talks", "file": Path(name).name,
                          "talks": len(talks), "frames": frames,
                          "lines": lines}))


if __name__ == "__main__":
    main()
