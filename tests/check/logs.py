"""The files of a history: which there are, and their lines."""

import glob
import json
import os
import re


class Malformed(Exception):
    """The history is none: nothing can be said about the server."""


class TooLittle(Malformed):
    """Nothing is wrong with it, but something of @counts never happened."""

    def __init__(self, counts):
        super().__init__(f"too little has happened: {counts}")
        self.counts = counts


def numbers_in(path):
    return [int(part) for part in re.findall(r"\d+", os.path.basename(path))]


class Logs:
    """A directory of logs. A line is one JSON object."""

    def __init__(self, directory):
        self.directory = directory

    def paths(self, pattern):
        """Those that match, in the order of the numbers in their names."""
        return sorted(glob.glob(os.path.join(self.directory, pattern)),
                      key=numbers_in)

    @staticmethod
    def name(path):
        """Of "worker-2.log": "worker 2"."""
        return os.path.basename(path).removesuffix(".log").replace("-", " ")

    @staticmethod
    def number(path):
        return numbers_in(path)[-1]

    @staticmethod
    def texts(path):
        with open(path, encoding="utf-8") as file:
            yield from file

    @staticmethod
    def parse(text, path):
        try:
            return json.loads(text)
        except ValueError as error:
            raise Malformed(f"{path}: {error}: {text[:80]!r}") from error

    def steps(self, path):
        for text in self.texts(path):
            yield self.parse(text, path)
