"""The log that the device-mapper target log-writes keeps of a disk.

Entries stand in the order in which they count: a write stands behind the flush
that made it durable, unless it was one that needs none. So the disk after any
first part of the log is one that a power cut may leave: the one that lost all
it was allowed to lose.
"""

import struct

MAGIC = 0x6A736677736872
SUPER = struct.Struct("<QQQI")
ENTRY = struct.Struct("<QQQQ")
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8


class Entry:
    """sector and size are in sectors of the log; data is where the bytes of a
    write are in the log."""

    def __init__(self, sector, size, flags, data, mark):
        self.sector = sector
        self.size = size
        self.flags = flags
        self.data = data
        self.mark = mark

    def changes(self):
        """Does the disk look different afterwards?"""
        return self.size > 0 and not self.flags & MARK


class Log:
    def __init__(self, path):
        self.file = open(path, "rb", buffering=0)
        magic, version, count, self.sector_size = SUPER.unpack(
            self.file.read(SUPER.size))
        if magic != MAGIC or version != 1:
            raise ValueError(f"{path} is not a log of writes")
        self.entries = []
        at = self.sector_size
        for _ in range(count):
            at = self.read_entry(at)

    def read_entry(self, at):
        """Add the entry at offset @at; returns where the next one is."""
        self.file.seek(at)
        sector, size, flags, length = ENTRY.unpack(self.file.read(ENTRY.size))
        mark = None
        if flags & MARK:
            mark = self.file.read(length).rstrip(b"\0").decode()
        at += self.sector_size
        self.entries.append(Entry(sector, size, flags, at, mark))
        if flags & (MARK | DISCARD):
            return at
        return at + size * self.sector_size

    def apply(self, entry, disk):
        """Do what @entry did to the file @disk."""
        if not entry.changes():
            return
        disk.seek(entry.sector * self.sector_size)
        left = entry.size * self.sector_size
        self.file.seek(entry.data)
        while left > 0:
            part = min(left, 1 << 20)
            disk.write(b"\0" * part if entry.flags & DISCARD
                       else self.file.read(part))
            left -= part
