"""Does bench/peers measure? Two workloads, in one short round: their figures are
there, and nothing is left behind. In the long form also of what is installed
besides Acta.

    test_peers.py ACTA-PEERS ACTAD SETTINGS
"""

import json
import os
import subprocess
import sys
import tempfile


def main():
    peers, actad, settings = map(os.path.abspath, sys.argv[1:])
    wanted = [] if os.environ.get("ACTA_TEST_LONG") else ["--peer", "acta"]
    with tempfile.TemporaryDirectory() as directory:
        said = os.path.join(directory, "said.json")
        data = os.path.join(directory, "data")
        os.mkdir(data, 0o711)
        os.chmod(directory, 0o711)
        subprocess.run(
            [peers, "--quick", "--seconds", "0.1", "--only", "read-category",
             "--only", "append-8", "--json", said, "--dir", data,
             "--settings", settings, "--actad", actad, *wanted], check=True)
        with open(said) as file:
            told = json.load(file)
        left = os.listdir(data)
    assert left == [], left
    assert "acta" in told["peers"], told["peers"]
    assert told["workloads"]["append-8"]["echo"]["rate"]["median"] > 0
    assert "echo" not in told["workloads"]["read-category"]
    for name, peer in told["peers"].items():
        figures = told["workloads"]["append-8"][name]
        assert figures["rate"]["median"] > 0, name
        assert figures["p99"]["median"] >= figures["p50"]["median"], name
        if peer["durable"]:
            figures = told["workloads"]["read-category"][name]
            assert figures["rate"]["median"] > 0, name


if __name__ == "__main__":
    main()
