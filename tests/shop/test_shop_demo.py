#!/usr/bin/env python3
"""The demo of the shop, on a little: it shows what there is, ends by itself, and
leaves nothing behind.

ACTA_BUILD names the build directory.
"""

import os
import pathlib
import re
import signal
import subprocess
import tempfile
import unittest

DEMO = pathlib.Path(__file__).resolve().parents[2] / \
    'client' / 'examples' / 'shop' / 'demo'


class Demo(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.TemporaryDirectory(prefix='acta-demo-')
        self.env = dict(os.environ, TMPDIR=self.home.name, NO_COLOR='1')
        self.addCleanup(self.home.cleanup)

    def start(self, *arguments):
        return subprocess.Popen([DEMO, *arguments], env=self.env, text=True,
                                stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT)

    def assert_nothing_is_left(self):
        self.assertEqual(os.listdir(self.home.name), [])

    def test_it_shows_orders_lag_and_a_trace_and_ends(self):
        demo = self.start('--orders', '20')
        shown = demo.communicate()[0]
        self.assertEqual(demo.returncode, 0, shown)
        for pattern in (r'levels of stock are in', r'\d+ answers 200',
                        r'shop-levels +[\d,]+ +[\d,]+ +0 ', r'"order":"1"',
                        r'─ OrderPlaced', r'─ Order(Confirmed|Cancelled)',
                        r'That was all'):
            self.assertTrue(re.search(pattern, shown), (pattern, shown))
        self.assert_nothing_is_left()

    def test_it_stays_until_it_is_interrupted(self):
        demo = self.start('--orders', '5', '--sqlite', '--stay')
        line = demo.stdout.readline()
        while line and 'until Ctrl-C' not in line:
            line = demo.stdout.readline()
        self.assertIn('Look around', line)
        demo.send_signal(signal.SIGINT)
        shown = demo.communicate()[0]
        self.assertEqual(demo.returncode, 0, shown)
        self.assert_nothing_is_left()

    def test_it_says_how_it_is_used(self):
        demo = self.start('--orders', 'many')
        self.assertIn('usage: ', demo.communicate()[0])
        self.assertEqual(demo.returncode, 2)


if __name__ == '__main__':
    unittest.main()
