#!/usr/bin/env python3
"""The parser of the log of dm-log-writes, on a log made by hand."""

import io
import os
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import log_writes  # noqa: E402

SECTOR = 512


def sector(data):
    return data.ljust(SECTOR, b"\0")


def entry(where, size, flags, data=b""):
    return sector(struct.pack("<QQQQ", where, size, flags, len(data)) + data)


def made(*entries):
    """A log of these entries, each with what stands behind it."""
    file = tempfile.NamedTemporaryFile()
    file.write(sector(struct.pack("<QQQI", log_writes.MAGIC, 1, len(entries),
                                  SECTOR)))
    file.write(b"".join(entries))
    file.flush()
    return file


def replayed(log, count, size):
    disk = io.BytesIO(b"." * (size * SECTOR))
    for one in log.entries[:count]:
        log.apply(one, disk)
    return disk.getvalue()


class TestLogWrites(unittest.TestCase):
    def setUp(self):
        self.file = made(
            entry(1, 2, 0) + b"a" * SECTOR + b"b" * SECTOR,
            entry(0, 0, log_writes.FLUSH),
            entry(0, 0, log_writes.MARK, b"3.14"),
            entry(2, 1, log_writes.FUA) + b"c" * SECTOR,
            entry(1, 1, log_writes.DISCARD),
            entry(3, 1, 0) + b"d" * SECTOR)
        self.log = log_writes.Log(self.file.name)

    def tearDown(self):
        self.log.file.close()
        self.file.close()

    def test_entries_are_found_behind_the_data_of_those_before(self):
        self.assertEqual([one.sector for one in self.log.entries],
                         [1, 0, 0, 2, 1, 3])
        self.assertEqual([one.changes() for one in self.log.entries],
                         [True, False, False, True, True, True])

    def test_marks_are_texts(self):
        self.assertEqual([one.mark for one in self.log.entries],
                         [None, None, "3.14", None, None, None])

    def test_a_first_part_is_applied_in_order(self):
        def disk(text):
            return b"".join(letter.encode() * SECTOR for letter in text)

        self.assertEqual(replayed(self.log, 0, 4), disk("...."))
        self.assertEqual(replayed(self.log, 1, 4), disk(".ab."))
        self.assertEqual(replayed(self.log, 3, 4), disk(".ab."))
        self.assertEqual(replayed(self.log, 4, 4), disk(".ac."))
        self.assertEqual(replayed(self.log, 5, 4), disk(".\0c."))
        self.assertEqual(replayed(self.log, 6, 4), disk(".\0cd"))

    def test_what_is_no_log_is_refused(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(sector(b"acta"))
            file.flush()
            with self.assertRaises(ValueError):
                log_writes.Log(file.name)


if __name__ == "__main__":
    unittest.main()
