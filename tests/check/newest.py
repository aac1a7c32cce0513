"""What was known when."""

from bisect import bisect_left


class Newest:
    """The greatest of some numbers that was known at a time."""

    def __init__(self, known):
        self.times, self.numbers = [], []
        greatest = 0
        for number, at in sorted(known, key=lambda pair: pair[1]):
            greatest = max(greatest, number)
            self.times.append(at)
            self.numbers.append(greatest)

    def before(self, time):
        index = bisect_left(self.times, time)
        return self.numbers[index - 1] if index else 0
