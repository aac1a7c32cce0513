"""Charts as SVG: lines over a common axis, in panels one above the other."""

import math
from html import escape

WIDTH, PANEL, LEFT, RIGHT, GAP = 760, 190, 86, 120, 46
COLOURS = ["#1b6ca8", "#d1495b", "#2e8b57", "#b8860b", "#6a4c93", "#555555"]


class Panel:
    """Lines with one unit: name -> values, None where there is none."""

    def __init__(self, title, lines, logarithmic=False):
        self.title = title
        self.lines = lines
        values = [v for line in lines.values() for v in line if v is not None]
        positive = [v for v in values if v > 0]
        self.logarithmic = logarithmic and bool(positive)
        self.low = min(positive) if self.logarithmic else 0
        self.high = max(values, default=0) or 1
        if self.logarithmic:
            self.low = 10 ** math.floor(math.log10(self.low))
            self.high = 10 ** math.ceil(math.log10(self.high * 1.0001))

    def height_of(self, value):
        """From 0, the bottom, to 1."""
        if not self.logarithmic:
            return value / self.high
        value = max(value, self.low)
        return math.log(value / self.low) / math.log(self.high / self.low)

    def ticks(self):
        if self.logarithmic:
            first = round(math.log10(self.low))
            last = round(math.log10(self.high))
            return [10.0 ** power for power in range(first, last + 1)]
        return steps(self.high)


def steps(high):
    """Round numbers from 0 up to @high, about five."""
    step = 10 ** math.floor(math.log10(high / 4))
    step *= next(f for f in (1, 2, 5, 10) if high / (step * f) <= 5)
    return [step * i for i in range(int(high / step) + 1)]


def short(value):
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if abs(value) >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def text(x, y, words, anchor="start", size=12, colour="#333"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" '
            f'text-anchor="{anchor}">{escape(words)}</text>')


def line(x1, y1, x2, y2, colour):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{colour}"/>')


def draw_panel(panel, top, places):
    out = [text(LEFT, top - 10, panel.title, size=13)]
    for tick in panel.ticks():
        y = top + PANEL * (1 - panel.height_of(tick))
        out.append(line(LEFT, y, WIDTH - RIGHT, y, "#ddd"))
        out.append(text(LEFT - 8, y + 4, short(tick), "end"))
    for index, (name, values) in enumerate(panel.lines.items()):
        colour = COLOURS[index % len(COLOURS)]
        points = [(x, top + PANEL * (1 - panel.height_of(v)))
                  for x, v in zip(places, values) if v is not None]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        out.append(f'<polyline points="{path}" fill="none" '
                   f'stroke="{colour}" stroke-width="1.6"/>')
        if len(points) <= 20:
            out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" '
                    f'fill="{colour}"/>' for x, y in points]
        out.append(text(WIDTH - RIGHT + 10, top + 16 + 17 * index, name,
                        colour=colour))
    return out


def chart(title, x_title, xs, panels, logarithmic_x=False):
    """The whole SVG, as text. @xs grow."""
    scale = math.log10 if logarithmic_x else float
    low, high = scale(xs[0]), scale(xs[-1])
    span = (high - low) or 1
    width = WIDTH - LEFT - RIGHT
    places = [LEFT + width * (scale(x) - low) / span for x in xs]
    height = 60 + len(panels) * (PANEL + GAP)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
           f'height="{height}" font-family="sans-serif">',
           f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
           text(LEFT, 24, title, size=15)]
    top = 0
    for index, panel in enumerate(panels):
        top = 64 + index * (PANEL + GAP)
        out += draw_panel(panel, top, places)
    bottom = top + PANEL
    marks = xs if logarithmic_x else [x for x in steps(xs[-1]) if x >= xs[0]]
    for mark in marks:
        x = LEFT + width * (scale(mark) - low) / span
        out.append(line(x, bottom, x, bottom + 4, "#999"))
        out.append(text(x, bottom + 18, short(mark), "middle"))
    out.append(text(LEFT + width / 2, bottom + 36, x_title, "middle"))
    return "\n".join(out + ["</svg>"]) + "\n"
