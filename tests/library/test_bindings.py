"""The library from another language: Python binds to libacta.so as it is, with
nothing but what the headers say, and a program from the time of smaller structs
still runs. fixture.py tells how it is called.
"""

import ctypes
import re
import sys
import unittest
from ctypes import (POINTER, Structure, byref, c_bool, c_char, c_char_p, c_int,
                    c_int64, c_size_t, c_uint8, c_uint64, c_void_p)

sys.dont_write_bytecode = True
from fixture import SANITIZE, Library


class Err(Structure):
    _fields_ = [("code", c_int), ("text", c_char * 160)]


class Options(Structure):
    _fields_ = [("size", c_size_t), ("url", c_char_p), ("name", c_char_p),
                *[(name, c_uint64) for name in (
                    "timeout_ms", "connect_timeout_ms", "backoff_min_ms",
                    "backoff_max_ms", "silence_ms")],
                ("requests_max", c_size_t), ("requests_size_max", c_size_t),
                ("credit_size", c_size_t), ("on_link", c_void_p),
                ("user", c_void_p)]


class Draft(Structure):
    _fields_ = [("size", c_size_t), ("type", c_char_p), ("data", c_char_p),
                ("data_size", c_size_t), ("format", c_int), ("id", c_void_p),
                ("correlation_id", c_void_p), ("causation_id", c_void_p),
                ("tags", POINTER(c_char_p)), ("tags_count", c_size_t),
                ("metadata", c_char_p), ("metadata_size", c_size_t)]


class Read(Structure):
    _fields_ = [("size", c_size_t), ("stream", c_char_p), ("query", c_void_p),
                ("start", c_uint64), ("backward", c_bool),
                ("events_max", c_size_t), ("bytes_max", c_size_t)]


class ShortRead(Structure):
    """As it was before it had sizes of pages, say."""
    _fields_ = Read._fields_[:5]


class Event(Structure):
    _fields_ = [("position", c_uint64), ("version", c_uint64),
                ("time_us", c_uint64), ("stream", c_char_p),
                ("type", c_char_p), ("id", c_void_p),
                ("correlation_id", c_void_p), ("causation_id", c_void_p),
                ("tags", POINTER(c_char_p)), ("tags_count", c_size_t),
                ("metadata", c_void_p), ("metadata_size", c_size_t),
                ("data", POINTER(c_uint8)), ("data_size", c_size_t)]


class Page(Structure):
    _fields_ = [("events", POINTER(POINTER(Event))),
                ("events_count", c_size_t)]


class Appended(Structure):
    _fields_ = [("position", c_uint64), ("version", c_uint64),
                ("repeated", c_bool)]


ACTA_EXPECT_ANY = -1
ACTA_FORMAT_JSON = 1
OK = 0


def made(kind, **fields):
    """What the inline functions named with the structs do."""
    return kind(size=ctypes.sizeof(kind), **fields)


@unittest.skipIf(SANITIZE, "Python has no sanitizer")
class Bindings(Library):
    def setUp(self):
        super().setUp()
        acta = ctypes.CDLL(self.libdir / "libacta.so.0")
        acta.acta_append_new.restype = c_void_p
        for name, arguments in {
            "acta_append_stream": [c_void_p, c_char_p, c_int64],
            "acta_append_event": [c_void_p, POINTER(Draft)],
            "acta_append_free": [c_void_p],
            "acta_sync_open": [POINTER(c_void_p), POINTER(Options),
                               POINTER(Err)],
            "acta_sync_append": [c_void_p, c_void_p,
                                 POINTER(POINTER(Appended)), POINTER(Err)],
            "acta_sync_read": [c_void_p, c_void_p, POINTER(POINTER(Page)),
                               POINTER(Err)],
            "acta_sync_close": [c_void_p],
        }.items():
            getattr(acta, name).argtypes = arguments
        self.acta = acta
        self.err = Err()
        self.sync = c_void_p()

    def connect(self):
        options = made(
            Options, url=self.serve().encode(), timeout_ms=30000,
            connect_timeout_ms=5000, backoff_min_ms=20, backoff_max_ms=5000,
            silence_ms=10000, requests_max=4096, requests_size_max=1 << 28,
            credit_size=4 << 20)
        self.call("acta_sync_open", byref(self.sync), byref(options))
        self.addCleanup(self.acta.acta_sync_close, self.sync)

    def call(self, name, *arguments):
        code = getattr(self.acta, name)(*arguments, byref(self.err))
        self.assertEqual(code, OK, self.err.text)

    def append(self, stream, *datas):
        append = self.acta.acta_append_new()
        self.addCleanup(self.acta.acta_append_free, append)
        self.acta.acta_append_stream(append, stream, ACTA_EXPECT_ANY)
        for data in datas:
            tags = (c_char_p * 1)(b"customer:7")
            draft = made(Draft, type=b"OrderPlaced", data=data,
                         data_size=len(data), format=ACTA_FORMAT_JSON,
                         tags=tags, tags_count=1)
            self.acta.acta_append_event(append, byref(draft))
        appended = POINTER(Appended)()
        self.call("acta_sync_append", self.sync, append, byref(appended))
        return appended.contents

    def read(self, wanted):
        page = POINTER(Page)()
        self.call("acta_sync_read", self.sync, byref(wanted), byref(page))
        events = [page.contents.events[i].contents
                  for i in range(page.contents.events_count)]
        return [(event.stream, event.version, event.type,
                 [event.tags[i] for i in range(event.tags_count)],
                 bytes(event.data[:event.data_size])) for event in events]

    def test_events_are_appended_and_read(self):
        self.connect()
        appended = self.append(b"order-42", b'{"total": 12}', b"{}")
        self.assertEqual((appended.version, appended.repeated), (2, False))
        self.assertEqual(
            self.read(made(Read, stream=b"order-42")),
            [(b"order-42", 1, b"OrderPlaced", [b"customer:7"],
              b'{"total": 12}'),
             (b"order-42", 2, b"OrderPlaced", [b"customer:7"], b"{}")])

    def test_structs_that_were_smaller_once_are_taken(self):
        self.connect()
        self.append(b"order-42", b"1", b"2", b"3")
        self.assertEqual(len(self.read(made(Read, stream=b"order-42",
                                            events_max=2))), 2)
        # What lies behind the struct is no part of it.
        behind = (ShortRead * 2)(made(ShortRead, stream=b"order-42"))
        behind[1].size = 1
        self.assertEqual(len(self.read(behind[0])), 3)


class Interface(Library):
    def headers(self):
        return {path.name: re.sub(r"/\*.*?\*/", "", path.read_text(),
                                  flags=re.DOTALL)
                for path in (self.prefix / "include" / "acta").iterdir()}

    def structs(self):
        """Of each: its name, and what it consists of."""
        return [found for text in self.headers().values()
                for found in re.findall(
                    r"(?ms)^struct (acta_\w+) \{\n(.*?)^\};", text)]

    def test_no_function_takes_or_returns_a_struct(self):
        functions = [
            " ".join(found.split()) for text in self.headers().values()
            for found in re.findall(r"(?s)ACTA_API (.*?);", text)]
        self.assertGreater(len(functions), 200)
        for function in functions:
            self.assertNotRegex(function, r"struct \w+ [^*]")

    def test_no_struct_has_another_one_inside(self):
        self.assertGreater(len(self.structs()), 40)
        for name, text in self.structs():
            if name in ("acta_ev", "acta_poll"):
                continue  # All of it is compiled into the program.
            for line in text.splitlines():
                if "(" not in line:
                    self.assertNotRegex(line, r"^\s+(const )?struct \w+ [^*]",
                                        name)

    def test_arrays_of_structs_are_arrays_of_pointers(self):
        for name, text in self.structs():
            for field in re.findall(r"size_t (\w+)_count;", text):
                self.assertNotRegex(
                    text, rf"struct \w+ \*{field};", name)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
