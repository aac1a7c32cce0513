"""Runs every workload of acta-bench on a little, and looks at what it says.

    test_bench.py ACTA-BENCH ACTAD
"""

import csv
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree

# Of each workload: options that make it short, and figures it must have found.
WORKLOADS = {
    "append": (
        "--clients 3 --pipeline 2 --expect version --streams 9 --tags 2 --count 60",
        ["appends", "events", "append_p50", "append_p999", "disk_sync_p50",
         "client_cpu", "server_cpu", "echo", "echo_part", "echo_p50",
         "echo_client_cpu", "echo_server_cpu"],
    ),
    "append --rate 500": (
        "--events 10 --streams 9 --count 50",
        ["appends", "events", "append_p50"],
    ),
    "append --expect seen": (
        "--clients 4 --streams 5 --zipf 0.9 --sizes 8:1,2k:1 --tags 1 "
        "--tags-of 2 --conditions 50 --readers 1 --followers 2 --count 200",
        ["appends", "refused", "loads", "load_p50", "deliveries",
         "delivery_p99"],
    ),
    "read": (
        "--fill 500 --streams 10 --clients 2",
        ["events", "data", "events_read", "loopback_copy"],
    ),
    "read --category c03": (
        "--fill 500 --streams 40",
        ["events", "events_read"],
    ),
    "subscribe": (
        "--fill 500 --streams 10",
        ["events", "data", "events_read"],
    ),
    "live": (
        "--clients 2 --count 30",
        ["appends", "deliveries", "append_p50", "delivery_p50"],
    ),
    "live --rate 200": (
        "--count 30",
        ["appends", "deliveries", "append_p50", "delivery_p50"],
    ),
    "load": (
        "--streams 20 --length 5 --count 50",
        ["loads", "events", "load_p50", "echo", "echo_part"],
    ),
    "start": (
        "--fill 500 --dirty 500 --streams 10",
        ["start_after_stop", "start_after_kill"],
    ),
    "append --commands": (
        "--events 2 --streams 9 --correlated 3 --count 50",
        ["appends", "append_p50"],
    ),
    "fill": (
        "--fill 500 --streams 10 --tags 3",
        ["events", "stored", "store", "server_written"],
    ),
    "find": (
        "--fill 1000 --streams 1000 --tags 1 --tags-of 50 --rounds 2",
        ["rare_rate", "tenth_ratio", "near_ratio", "whole_time"],
    ),
    "condition": (
        "--fill 500 --streams 10 --tags 1 --tags-of 10 --duration 20ms "
        "--rounds 2",
        ["free_p50", "new_ratio", "old_ratio", "behind_p99", "behind_cpu"],
    ),
    "spread": (
        "--fill 500 --streams 100 --batch 20 --duration 20ms --rounds 2",
        ["one_p50", "ten_ratio", "all_written", "both_cpu"],
    ),
    "beside": (
        "--fill 500 --streams 100 --tags 2 --clients 2 --duration 20ms "
        "--rounds 2",
        ["alone_p50", "beside_p99", "beside_p99_ratio", "walk_p50",
         "listing_max"],
    ),
    "group": (
        "--fill 500 --streams 20 --members 3 --slots 10 --rounds 2",
        ["plain_rate", "group_rate", "group_ratio", "group_server"],
    ),
    "idle": (
        "--fill 500 --streams 20 --groups 30 --connections 3 --duration 20ms "
        "--rounds 2",
        ["alone_p50", "idle_p99", "idle_ratio", "alone_rate"],
    ),
    "lease": (
        "--clients 3 --count 50",
        ["leases", "lease_p50", "lease_max", "server_cpu"],
    ),
    "lease --leases 1": (
        "--clients 3 --count 50",
        ["leases", "lease_p50"],
    ),
    "effects": (
        "--fill 500 --streams 20 --duration 20ms --rounds 2",
        ["bare_p50", "checkpoint_ratio", "lease_p99", "snapshot_cpu",
         "schedule_written"],
    ),
    "schedule": (
        "--streams 20 --schedules 100",
        ["made_rate", "carried_rate", "carried_first"],
    ),
    "snapshot": (
        "--streams 20 --length 10 --behind 3 --state 100 --duration 20ms "
        "--rounds 2",
        ["whole_p50", "snapshot_ratio", "current_rate"],
    ),
    "decide": (
        "--clients 3 --fill 500 --streams 50 --categories 1 "
        "--duration 40ms --rounds 2",
        ["append_rate", "cached_ratio", "cold_p50", "cold_server",
         "hot_client", "hot_ratio"],
    ),
}

# The same, of workloads that are there where SQLite is.
SQLITE_WORKLOADS = {
    "project": (
        "--fill 500 --streams 20 --transaction 100 --rounds 2",
        ["plain_rate", "handler_ratio", "sqlite_ratio", "sqlite_table_ratio",
         "sqlite_client"],
    ),
    "wait": (
        "--fill 500 --streams 20 --duration 40ms --rounds 2",
        ["append_p50", "handler_p99", "handler_ratio", "sqlite_p50"],
    ),
}

SCRIPTS = pathlib.Path(__file__).parent.parent.parent / "bench"
PLOT, COMPARE = SCRIPTS / "plot", SCRIPTS / "compare"
SVG = "{http://www.w3.org/2000/svg}"

SMALL_SERVER = ["--", "--journal-segment-size", "1MiB",
                "--checkpoint-age", "50ms"]


class Server:
    """An actad on any port, with its data in a directory of its own."""

    def __init__(self, parent):
        self.dir = pathlib.Path(tempfile.mkdtemp(dir=parent))

    def __enter__(self):
        port = self.dir / "port"
        self.process = subprocess.Popen(
            [ACTAD, "--data-dir", self.dir / "data", "--listen", "127.0.0.1:0",
             "--port-file", port, "--log-level", "error"])
        while not (port.exists() and port.read_text().strip()):
            assert self.process.poll() is None
            time.sleep(0.01)
        self.url = f"acta://127.0.0.1:{port.read_text().strip()}"
        return self

    def __exit__(self, *what):
        self.process.kill()
        self.process.wait()

    def wait_for_events(self, writer):
        """This workload refuses to begin if there are none."""
        while bench(f"group --server {self.url} --members 1 --rounds 1").returncode:
            assert writer.poll() is None


def bench(arguments, **others):
    return subprocess.run(
        [BENCH, *arguments.split()] + others.pop("more", []),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **others)


class Smoke(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)

    def measure(self, workload, options):
        done = bench(
            f"{workload} {options} --json --actad {ACTAD} --dir {self.dir.name}",
            more=SMALL_SERVER)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout, object_pairs_hook=self.unique)

    def unique(self, pairs):
        """What has a name twice is JSON, of which one is lost."""
        self.assertEqual(len(dict(pairs)), len(pairs), pairs)
        return dict(pairs)

    def measure_until(self, found, workload, options):
        """In the time that is given, a machine that stands still does nothing:
        then it gets ten times as much, and again."""
        result = self.measure(workload, options)
        for _ in range(2):
            if found(result["median"]):
                break
            options = re.sub(r"--duration (\d+)ms", r"--duration \g<1>0ms", options)
            result = self.measure(workload, options)
        return result

    def look_at(self, workloads):
        for workload, (options, figures) in workloads.items():
            with self.subTest(workload):
                result = self.measure_until(
                    lambda median: all(median[each] > 0 for each in figures),
                    workload, options)
                self.assertEqual(result["workload"], workload.split()[0])
                self.assertTrue(result["machine"]["cpus"] > 0)
                for figure in figures:
                    self.assertGreater(result["median"][figure], 0, figure)

    def test_every_workload_finds_its_figures(self):
        self.look_at(WORKLOADS)

    def test_read_models_are_measured_where_there_is_sqlite(self):
        if "  project " not in bench("--help").stdout:
            self.skipTest("there is no SQLite")
        self.look_at(SQLITE_WORKLOADS)
        # What was appended meanwhile is projected, too.
        self.measure("spread,project", "--fill 100 --streams 20 --batch 20 "
                     "--duration 20ms --rounds 1")

    def test_what_there_was_no_time_for_is_0(self):
        self.measure("decide", "--fill 100 --streams 10 --categories 1 "
                     "--duration 1ms --rounds 1")

    def test_more_rounds_than_can_be_told_are_refused(self):
        done = bench(f"decide --fill 1 --rounds 102 --actad {ACTAD} --dir {self.dir.name}")
        self.assertEqual(done.returncode, 1)
        self.assertIn("--rounds: 101 at most", done.stderr)

    def test_a_decider_that_shares_aggregates_decides_again(self):
        median = self.measure_until(
            lambda median: median["hot_conflicts"] > 0,
            "decide", "--clients 8 --hot 1 --fill 100 --streams 10 "
            "--categories 1 --duration 400ms --rounds 2")["median"]
        self.assertGreater(median["hot_conflicts"], 0)

    def test_readers_get_every_event_that_was_stored(self):
        for options, events in {
            "--clients 2": 1000, "--category c03": 25, "--category c99": None,
        }.items():
            with self.subTest(options):
                arguments = f"--fill 500 --streams 40 {options}"
                if events is None:
                    with self.assertRaisesRegex(AssertionError, "nothing to read"):
                        self.measure("read", arguments)
                    continue
                for workload in "read", "subscribe":
                    result = self.measure(workload, arguments)
                    self.assertEqual(result["median"]["events_read"], events)

    def test_what_is_rare_is_found_as_often_as_it_is_there(self):
        median = self.measure(
            "find", "--fill 1000 --tags 1 --tags-of 50 --rounds 1")["median"]
        self.assertEqual(median["whole_events"], 1000)
        tag = self.measure(
            "read", "--fill 1000 --tags 1 --tags-of 50 --tag t00:001")
        self.assertEqual(median["rare_events"], tag["median"]["events_read"])
        self.assertLess(median["tenth_events"], median["rare_events"])

    def test_workloads_share_a_server_and_its_events(self):
        result = self.measure(
            "find,condition", "--fill 300 --streams 10 --tags 1 --tags-of 10 "
            "--duration 20ms --rounds 1 --runs 2")
        self.assertEqual(result["workload"], "find,condition")
        first, second = (run["whole_events"] for run in result["runs"])
        self.assertEqual([first, second], [300, 300])

    def test_figures_of_the_same_name_are_told_apart(self):
        median = self.measure("read,subscribe", "--fill 300 --most 100")["median"]
        self.assertEqual(median["events_read"], median["subscribe_events_read"])

    def test_each_run_has_the_same_figures(self):
        """Also one that is over before the kernel has counted a tick."""
        names = [list(run) for run in
                 self.measure("lease", "--count 1 --runs 9")["runs"]]
        self.assertEqual(names, names[:1] * 9)

    def test_a_walk_and_lists_go_on_beside_appends(self):
        median = self.measure_until(
            lambda median: median["beside_walked"] * median["beside_listed"] > 0,
            "beside", "--fill 2000 --streams 500 --tags 1 --duration 800ms "
            "--rounds 2")["median"]
        self.assertGreater(median["beside_walked"], 0)
        self.assertGreater(median["beside_listed"], 0)

    def test_options_come_from_a_file_and_what_is_behind_it_counts_more(self):
        path = os.path.join(self.dir.name, "small.conf")
        with open(path, "w") as file:
            file.write("# A remark.\n\n  streams 7\nevents\t3\ncommands\n")
        settings = self.measure(
            "append", f"--file {path} --events 2 --count 20")["settings"]
        self.assertEqual(settings["server_arguments"], SMALL_SERVER[1:])
        self.assertEqual(settings["streams"], 7)
        self.assertEqual(settings["events"], 2)
        self.assertEqual(settings["commands"], 1)
        with open(path, "a") as file:
            file.write("clints 3\n")
        done = bench(f"append --file {path}")
        self.assertEqual(done.returncode, 2)
        self.assertIn("there is no option --clints", done.stderr)

    def test_a_timeline_has_every_interval_and_all_that_was_done(self):
        path = os.path.join(self.dir.name, "line.csv")
        self.measure("append", f"--followers 1 --timeline {path} "
                     "--interval 1ms --count 300")
        with open(path, newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([row["second"] for row in rows],
                         [f"{i / 1000:.3f}" for i in range(len(rows))])
        done = sum(float(row["append_rate"]) for row in rows) / 1000
        self.assertTrue(0 < done <= 300, done)
        drawn = subprocess.run([PLOT, path], stdout=subprocess.PIPE)
        self.assertEqual(drawn.returncode, 0)
        tree = xml.etree.ElementTree.fromstring(drawn.stdout)
        lines = tree.findall(SVG + "polyline")
        self.assertEqual(len(lines), 9) # Three rates, twice three latencies.

    def test_data_that_is_kept_is_what_the_next_run_measures(self):
        data = os.path.join(self.dir.name, "kept")
        kept = f"--data {data} --names 5 --streams 10"
        self.measure("fill", f"{kept} --fill 100")
        self.measure("fill", f"{kept} --fill 50 --first 10 --together 3")
        loads = self.measure("load", f"{kept} --count 20")["median"]
        self.assertGreater(loads["load_p50"], 0)
        self.assertEqual(
            self.measure("read", f"--data {data}")["median"]["events_read"], 150)
        stream = self.measure(
            "read", f"--data {data} --stream c10-00000005-0000000a")
        self.assertEqual(stream["median"]["events_read"], 5)
        part = self.measure("read", f"--data {data} --from 20 --most 30 --page 10")
        self.assertEqual(part["median"]["events_read"], 30)
        self.assertTrue(os.path.isdir(data))

    def test_two_results_are_compared_figure_by_figure(self):
        paths = [os.path.join(self.dir.name, name) for name in "ab"]
        result = self.measure("append", "--count 20 --runs 3")
        for path, factor in zip(paths, (1, 2)):
            for run in [*result["runs"], result["median"]]:
                run["append_p50"] = 100 * factor
            with open(path, "w") as file:
                json.dump(result, file)
        told = subprocess.run([COMPARE, *paths], stdout=subprocess.PIPE,
                              text=True).stdout
        self.assertRegex(told, r"(?m)^append_p50 +\S+ +\S+ +2\.000 +more$")
        self.assertRegex(told, r"(?m)^append_max .* 1\.000$")

    def test_results_are_compared_that_have_other_figures(self):
        """Of other versions, or if only some runs could tell it."""
        a, b = [os.path.join(self.dir.name, name) for name in "ab"]
        result = self.measure("lease", "--count 20 --runs 3")
        with open(a, "w") as file:
            json.dump(result, file)
        for run in [*result["runs"], result["median"]]:
            run["news"] = run.pop("lease_max")
        del result["runs"][0]["lease_p50"]
        with open(b, "w") as file:
            json.dump(result, file)
        told = subprocess.run([COMPARE, a, b], stdout=subprocess.PIPE,
                              text=True, check=True).stdout
        self.assertRegex(told, r"(?m)^lease_max .* only A has it$")
        self.assertRegex(told, r"(?m)^news .* only B has it$")
        self.assertRegex(told, r"(?m)^lease_p50 .* too few runs to tell$")

    def test_what_is_no_result_is_not_compared(self):
        path = os.path.join(self.dir.name, "other.json")
        for text in '[1]', '{"sizes": {}}', '{}\n{}', '':
            with open(path, "w") as file:
                file.write(text)
            done = subprocess.run([COMPARE, path, path], stderr=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, f"^{re.escape(path)}: .*\n$")

    def test_results_are_told_as_csv(self):
        done = bench(f"append --count 20 --runs 2 --csv --actad {ACTAD} "
                     f"--dir {self.dir.name}", more=SMALL_SERVER)
        rows = list(csv.DictReader(done.stdout.splitlines()))
        self.assertEqual({row["run"] for row in rows}, {"1", "2"})
        self.assertGreater(
            min(float(row["value"]) for row in rows
                if row["figure"] == "append_p50"), 0)

    def test_the_median_is_that_of_the_runs(self):
        result = self.measure("append", "--count 20 --runs 3")
        self.assertEqual(len(result["runs"]), 3)
        self.assertEqual(
            result["median"]["append_p50"],
            sorted(run["append_p50"] for run in result["runs"])[1])

    def test_what_is_due_is_sent_by_all_connections(self):
        """With expected versions a stream is one connection's alone."""
        data = os.path.join(self.dir.name, "kept")
        kept = f"--data {data} --names 5"
        self.measure("append", f"{kept} --rate 100 --clients 4 --streams 4 "
                     "--expect version --count 12")
        for stream in range(4):
            read = self.measure(
                "read", f"{kept} --stream c0{stream}-00000005-0000000{stream}")
            self.assertGreater(read["median"]["events_read"], 0)

    def test_a_stall_at_the_end_is_not_left_out(self):
        for workload in "append", "live":
            with self.subTest(workload):
                median = self.measure_a_stall(workload)
                for name in "p90", "max":
                    self.assertGreater(median[f"append_{name}"], 100000, name)

    def measure_a_stall(self, workload):
        """The server stands still from early on until all time is over. If the
        machine was too slow to stop it in time, there is more time."""
        for seconds in 1, 8, 64:
            with Server(self.dir.name) as server:
                begun = time.monotonic()
                with subprocess.Popen(
                    [BENCH, *f"{workload} --server {server.url} --rate 100 "
                     f"--warmup 0ms --duration {seconds}s --json".split()],
                    stdout=subprocess.PIPE, text=True,
                ) as process:
                    server.wait_for_events(process)
                    server.process.send_signal(signal.SIGSTOP)
                    is_early = time.monotonic() - begun < seconds / 2
                    time.sleep(seconds + 0.1)
                    server.process.send_signal(signal.SIGCONT)
                    told = process.communicate()[0]
            if is_early:
                return json.loads(told)["median"]
        self.fail("the server could not be stopped in time")

    def test_percentiles_do_not_fall(self):
        median = self.measure("append", "--count 200 --clients 4")["median"]
        latencies = [median["append_" + name]
                     for name in ("p50", "p90", "p99", "p999", "max")]
        self.assertEqual(latencies, sorted(latencies))

    def test_nothing_is_left_behind(self):
        self.measure("append", "--count 5")
        done = bench(f"append --actad /nowhere/actad --dir {self.dir.name}")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("did not start", done.stderr)
        self.assertEqual(os.listdir(self.dir.name), [])

    def test_a_fill_that_fails_says_why_and_leaves_nothing_behind(self):
        """Of all that is under way, each answer is that it is refused."""
        fill = f"fill --fill 5000 --actad {ACTAD} --dir {self.dir.name}"
        without = {"more": [*SMALL_SERVER, "--event-ids", "off"]}
        done = bench(fill, **dict(without))
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("no event ids", done.stderr)
        self.assertEqual(os.listdir(self.dir.name), [])
        done = bench(f"{fill} --commands", **dict(without))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_server_that_ends_is_told_and_not_waited_for(self):
        wrapper = self.dir.name + "/actad"
        with open(wrapper, "w") as file:
            # Dies when it has written its port to the file that is asked for.
            file.write(f"""#!/bin/sh
(while [ ! -s "$6" ]; do sleep 0.01; done; kill -9 $$) &
exec {ACTAD} "$@"
""")
        os.chmod(wrapper, 0o700)
        done = bench(f"live --duration 60s --actad {wrapper} "
                     f"--dir {self.dir.name}", more=SMALL_SERVER, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("actad has ended (signal 9", done.stderr)

    def test_a_server_that_ends_behind_its_connections_is_told(self):
        server = self.dir.name + "/actad"
        with open(server, "w") as file:
            # Resets its first connection, and dies when that was seen.
            file.write("""#!/usr/bin/env python3
import os, signal, socket, struct, sys, time
listener = socket.create_server(("127.0.0.1", 0))
with open(sys.argv[6], "w") as file:
    file.write(str(listener.getsockname()[1]))
connection = listener.accept()[0]
connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                      struct.pack("ii", 1, 0))
connection.close()
listener.close()
time.sleep(0.5)
os.kill(os.getpid(), signal.SIGKILL)
""")
        os.chmod(server, 0o700)
        done = bench(f"live --duration 60s --actad {server} "
                     f"--dir {self.dir.name}", more=[], timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("actad has ended (signal 9", done.stderr)

    def test_what_is_wrong_with_an_option_is_told(self):
        with open(os.path.join(self.dir.name, "flag"), "w") as file:
            file.write("clients 3\njson no\n")
        for arguments, text in {
            "append --clients 0": "--clients",
            "append --clients 12x": "--clients",
            "append --nothing 1": "no option --nothing",
            "append --page 3": "means nothing",
            "append --clients": "--clients",
            "sing": "no workload sing",
            "find,sing": "no workload sing",
            "find,find": "named twice",
            "find,append": "append is run by itself",
            "condition --clients 2": "means nothing",
            "condition --pipeline 2": "means nothing",
            "append --server acta://h:1 -- --io-threads 2": "what follows --",
            "append --json=no": "--json takes nothing",
            f"append --file {self.dir.name}/flag": "json no",
        }.items():
            with self.subTest(arguments):
                done = bench(arguments)
                self.assertEqual(done.returncode, 2)
                self.assertIn(text, done.stderr)


if __name__ == "__main__":
    BENCH, ACTAD = sys.argv[1:3]
    del sys.argv[1:3]
    unittest.main()
