"""Which plugins the tests use."""

from __future__ import annotations

import importlib.util

PLUGINS = (
    "tests.fixtures.postgres",
    "tests.fixtures.nats",
    "tests.cluster.fixtures",
    "tests.fixtures.api",
    "tests.fixtures.simulated",
    "tests.fixtures.control_plane",
)

pytest_plugins = [plugin for plugin in PLUGINS if importlib.util.find_spec(plugin)]
