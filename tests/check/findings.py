"""What is objected to, by the promise that was broken."""

from collections import Counter

SHOWN = 5 # Of each promise: the first say most.


class Findings:
    def __init__(self):
        self.by_promise = Counter()
        self.texts = []

    def add(self, promise, text):
        self.by_promise[promise] += 1
        if self.by_promise[promise] <= SHOWN:
            self.texts.append(f"{promise}: {text}")

    def count(self):
        return sum(self.by_promise.values())
