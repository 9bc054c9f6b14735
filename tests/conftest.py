"""Which plugins the tests use."""

from __future__ import annotations

import gc
import importlib.util

import pytest
from hypothesis import settings

PLUGINS = (
    "tests.fixtures.postgres",
    "tests.fixtures.nats",
    "tests.cluster.fixtures",
    "tests.fixtures.api",
    "tests.fixtures.simulated",
    "tests.fixtures.control_plane",
    "tests.distribution",
)

pytest_plugins = [plugin for plugin in PLUGINS if importlib.util.find_spec(plugin)]

# How long an example takes says how busy the machine is: with 200 ms as the limit, tests failed beside others.
settings.register_profile("patient", settings.default, deadline=None)
settings.load_profile("patient")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish() -> None:
    """Collects garbage now and not later: plugins import modules when a session ends, and CPython 3.11 answers
    SystemError ("AST constructor recursion depth mismatch") where a finalizer that warns runs while it parses one."""
    gc.collect()
    gc.disable()
