"""A whole shop in a directory of its own, for tests: actad and all roles.

ACTA_BUILD names the build directory, ACTA_TEST_SHOP another shop than its own,
with a mistake in it. ACTA_TEST_POSTGRES, as other tests have it, says where
levels of stock are kept; else it is SQLite.
"""

import http.client
import json
import os
import pathlib
import random
import socket
import sqlite3
import subprocess
import time
import urllib.parse

BUILD = pathlib.Path(os.environ['ACTA_BUILD'])
SHOP = os.environ.get('ACTA_TEST_SHOP',
                      BUILD / 'client' / 'examples' / 'shop' / 'shop')
POSTGRES = os.environ.get('ACTA_TEST_POSTGRES')
PATIENCE_S = 120 # For what takes a second: then it is a failure.
PAY_WITHIN_MS = 1000


def free_port():
    """Below those that connections are made from: else one of these may have it
    while a program is killed.
    """
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as found:
            try:
                found.bind(('127.0.0.1', port))
                return port
            except OSError:
                pass


class Levels:
    """Where levels of stock are kept: a schema of PostgreSQL, or a file."""

    def __init__(self, home):
        self.schema = f'acta_shop_{os.getpid()}' if POSTGRES else None
        self.where = str(home / 'levels.db')
        if POSTGRES:
            settings = dict(pair.split('=', 1) for pair in POSTGRES.split())
            settings['options'] = f'-csearch_path={self.schema}'
            self.where = 'postgresql:///?' + urllib.parse.urlencode(
                settings, quote_via=urllib.parse.quote)
            self.ask(f'CREATE SCHEMA {self.schema}')

    def ask(self, sql):
        return subprocess.run(['psql', '-qAtX', '-F', ' ', '-c', sql,
                               self.where], check=True, text=True,
                              stdout=subprocess.PIPE).stdout

    def rows(self):
        sql = 'SELECT sku, available, reserved, shipped FROM stock'
        if POSTGRES:
            return [(sku, *map(int, rest)) for sku, *rest in
                    map(str.split, self.ask(sql).splitlines())]
        return rows_of(self.where, sql)

    def remove(self):
        if POSTGRES:
            self.ask('SET client_min_messages = error; '
                     f'DROP SCHEMA {self.schema} CASCADE')


def rows_of(file, sql):
    db = sqlite3.connect(file)
    try:
        return [tuple(row) for row in db.execute(sql)]
    finally:
        db.close()


class Program:
    """One that is started again whenever it ends."""

    def __init__(self, home, name, *arguments):
        self.name = name
        self.arguments = [str(argument) for argument in arguments]
        self.log = open(home / (name + '.log'), 'ab')
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.arguments, stdout=self.log,
                                        stderr=self.log)

    def keep(self):
        if self.process.poll() is not None:
            self.start()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Returns how it ended."""
        self.process.terminate()
        try:
            return self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return 'not at all'


class Shop:
    """All of the programs, in a directory."""

    def __init__(self, home):
        self.home = home
        self.url = f'acta://127.0.0.1:{free_port()}'
        self.commands, self.queries = free_port(), free_port()
        self.levels = Levels(home)
        self.orders = home / 'orders.db'
        where = self.levels.where
        self.programs = [Program(
            home, 'actad', BUILD / 'server' / 'actad', '--data-dir',
            home / 'data', '--listen', self.url.removeprefix('acta://'),
            '--journal-segment-size', '8MiB', '--store-map-size', '1GiB',
            '--disk-reserve', '1MiB', '--log-level', 'warning')]
        for role, *arguments in (
                ('commands', self.commands), ('workers',),
                ('fulfilment', PAY_WITHIN_MS), ('payments',),
                ('orders', self.orders), ('levels', where),
                ('queries', self.queries, self.orders, where)):
            self.programs.append(
                Program(home, role, SHOP, role, self.url, *arguments))

    def start(self):
        for program in self.programs:
            program.start()

    def keep(self):
        for program in self.programs:
            program.keep()

    def acta(self, *arguments):
        """What acta tells in JSON; None: it could not."""
        done = subprocess.run([BUILD / 'tools' / 'acta', '--server', self.url,
                               '--json', '--timeout', '5s', *arguments],
                              check=False, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
        if done.returncode != 0:
            return None
        return [json.loads(line) for line in done.stdout.splitlines()]

    def run_role(self, role, *arguments):
        """One that ends by itself."""
        return subprocess.run([SHOP, role, self.url, *arguments], check=False,
                              text=True, stderr=subprocess.PIPE)

    def ask(self, port, method, path, body=None, headers=()):
        """Status and JSON; None: there is no answer."""
        connection = http.client.HTTPConnection('127.0.0.1', port, timeout=40)
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, json.load(answer)
        except (OSError, http.client.HTTPException, ValueError):
            return None
        finally:
            connection.close()

    def wait_until(self, what, is_so):
        """What ends meanwhile is started again."""
        end = time.monotonic() + PATIENCE_S
        while not is_so():
            if time.monotonic() > end:
                raise TimeoutError(f'never: {what}')
            self.keep()
            time.sleep(0.02)

    def stop(self):
        """The server last, since the others wait for it. Yields bad ends."""
        for program in reversed(self.programs):
            status = program.stop()
            if status != 0:
                yield f'bad end: {program.name}: {status}'
        self.levels.remove()
