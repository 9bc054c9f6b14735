"""Commands start fast: what they do not need is not imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("aiohttp", "pydantic", "kubernetes", "kopf", "psycopg", "boto3", "rich")


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        (["version", "--client"], set()),
        (["completion", "bash"], set()),
        (["get", "--help"], set()),
        (["get", "workloads"], {"aiohttp"}),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)
def test_a_command_imports_only_what_it_needs(arguments: list[str], allowed: set[str]) -> None:
    program = f"""
import sys
from threeport.cli.main import run
run({arguments!r})
print(*(name for name in {HEAVY!r} if name in sys.modules), file=sys.stderr)
"""
    environment = {"THREEPORT_API": "http://127.0.0.1:9", "PATH": ""}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, env=environment)
    assert set(done.stderr.splitlines()[-1].split()) <= allowed, done.stderr
