"""Runs bench/growth and bench/tail on a little, and looks at what they say.

    test_growth.py BUILD
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

SCRIPTS = pathlib.Path(__file__).parent.parent.parent / "bench"
LINE = "{http://www.w3.org/2000/svg}polyline"


class Scripts(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)

    def run_script(self, name, *options):
        """What it wrote as JSON, its picture, and its table."""
        out = os.path.join(self.dir.name, "told")
        done = subprocess.run(
            [SCRIPTS / name, *options, "--quick", "--dir", self.dir.name,
             "--out", out, BUILD],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(out + ".json") as file:
            told = json.load(file)
        return told, xml.etree.ElementTree.parse(out + ".svg"), done.stdout

    def missing_after_growing_to(self, kept):
        """Figures that were not found: in the few milliseconds that each
        gets, a machine that stands still does nothing."""
        arguments = ["--sizes", "1k,2k", "--keep", kept]
        first, _, _ = self.run_script("growth", *arguments)
        told, picture, table = self.run_script("growth", *arguments)
        self.assertEqual(told["sizes"], first["sizes"])
        self.assertEqual(list(told["sizes"]), ["1000", "2000"])
        self.assertGreater(len(picture.findall(LINE)), 10)
        self.assertIn("| start after a kill |", table)
        return [figure for figure, value in told["sizes"]["2000"].items()
                if not figure.endswith("_device")  # Not known of every disk.
                and value <= 0]

    def test_growth_measures_each_size_of_a_kept_database_once(self):
        missing = None
        for name in "abc":
            kept = os.path.join(self.dir.name, name)
            missing = self.missing_after_growing_to(kept)
            if missing == []:
                break
        self.assertEqual(missing, [])

    def test_the_tail_is_told_with_its_stalls_and_drawn(self):
        told, picture, table = self.run_script("tail", "--minutes", "0.02")
        median = told["median"]
        self.assertGreaterEqual(median["append_p999"], median["append_p50"])
        self.assertEqual(median["due"], median["highest"] / 2)
        self.assertGreaterEqual(median["stalls"], 0)
        self.assertEqual(len(picture.findall(LINE)), 4)
        self.assertIn("| stalls above 50 ms |", table)

    def test_growth_does_not_begin_without_space_for_all_of_it(self):
        done = subprocess.run(
            [SCRIPTS / "growth", "--sizes", "1000000M", "--dir",
             self.dir.name, BUILD],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("GB are free", done.stderr)
        self.assertEqual(os.listdir(self.dir.name), [])


if __name__ == "__main__":
    BUILD = sys.argv[1]
    del sys.argv[1]
    unittest.main()
