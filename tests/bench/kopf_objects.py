"""How many objects a second kopf handles on our API and on kube-apiserver: the same operator, in one run.

python -m tests.bench.kopf_objects [--count 1000] [--rounds 2] [--processes 1]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack

from tests.bench.api import create, delete, say
from tests.bench.client import LoadClient, load_client
from tests.bench.servers import installation, kubernetes


def measure(client: LoadClient, environment: Mapping[str, str], count: int, prefix: str) -> tuple[float, float]:
    """Objects handled a second, from first create to last handled; CPU milliseconds each in the operator."""
    operator = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.kopf_operator"],
        env={**os.environ, **environment, "COUNT": str(count)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        if _line(operator) != ["ready"]:
            raise SystemExit("The operator did not start.")
        begin = time.time()
        client.load(create(prefix), count=count, clients=8)
        _, end, cpu = _line(operator)
        return count / (float(end) - begin), float(cpu) / count * 1000
    finally:
        operator.terminate()
        operator.wait()
        client.load(delete(prefix), count=count, clients=8)


def _line(operator: subprocess.Popen[str]) -> list[str]:
    assert operator.stdout
    return operator.stdout.readline().split()


def main() -> None:
    """Runs the comparison and prints it."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("rounds", 2), ("count", 1000), ("processes", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    with ExitStack() as stack:
        apis, target = stack.enter_context(installation(given.processes))
        kube_target, kubeconfig = stack.enter_context(kubernetes())
        api = apis[0].controller("test")
        ours = {
            "THREEPORT_API_URL": api.url,
            "THREEPORT_CA_FILE": str(api.ca_file),
            "THREEPORT_CLIENT_CERT": str(api.cert_file),
            "THREEPORT_CLIENT_KEY": str(api.key_file),
        }
        theirs = {"KUBECONFIG": str(kubeconfig), "THREEPORT_API_URL": ""}
        pairs = [
            (stack.enter_context(load_client(each)), environment)
            for each, environment in ((target, ours), (kube_target, theirs))
        ]
        for number in range(given.rounds):
            for client, environment in pairs:
                rate, cpu = measure(client, environment, given.count, f"kopf-{number}")
                say(f"{client.target.name:15} {rate:6.0f} objects/s handled   {cpu:5.2f} ms of the operator's CPU each")


if __name__ == "__main__":
    main()
