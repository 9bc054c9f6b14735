"""``python -m agent [--config FILE]``: the agent of one cluster."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

import kopf

from agent.operator import run
from agent.settings import settings_from_environment, settings_from_file
from threeport.client import ConfigError


def main() -> int:
    """Runs until a signal; 2 means that the settings are wrong."""
    parser = argparse.ArgumentParser(prog="python -m agent", description="Reports what runs in a cluster to Threeport.")
    parser.add_argument("--config", type=Path, help="a JSON file; without it the environment says all")
    config: Path | None = parser.parse_args().config
    try:
        settings = settings_from_file(config) if config else settings_from_environment()
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    kopf.configure(verbose=False)
    asyncio.run(run(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
