"""``tptctl control-plane logs``: what the processes of a local control plane write."""

from __future__ import annotations

import time
from pathlib import Path

import click

from threeport.bootstrap.errors import BootstrapError
from threeport.bootstrap.local.installation import Installation
from threeport.cli.console import passed_on, result
from threeport.cli.errors import CliError
from threeport.cli.exit_codes import ExitCode
from threeport.cli.session import named_option, until_interrupted
from threeport.client.config import ConfigError, Configuration

FOLLOW_SECONDS = 0.2


def _components(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """What the shell can offer for COMPONENT."""
    try:
        installation = Installation.named(ctx.params.get("name") or Configuration.read().control_plane().name)
    except (BootstrapError, ConfigError):
        return []
    return [name for name in _known(installation) if name.startswith(incomplete)]


def _known(installation: Installation) -> list[str]:
    return sorted(file.stem for file in installation.logs.glob("*.log"))


@click.group()
def command() -> None:
    """Look into the control plane."""


@command.command(short_help="Show the log of a component, or list them.")
@click.argument("component", required=False, shell_complete=_components)
@named_option
@click.option("--tail", type=click.IntRange(0), default=200, show_default=True, help="How many lines from the end.")
@click.option("--follow", "-f", is_flag=True, help="Then go on with what is written, until Ctrl-C.")
def logs(component: str | None, name: str | None, tail: int, follow: bool) -> None:
    """Show the log of COMPONENT; without one, list the components that have logs."""
    installation = Installation.named(name or Configuration.read().control_plane().name)
    known = _known(installation)
    if component is None:
        for each in known:
            result(each)
        return
    file = installation.logs / f"{component}.log"
    if component not in known:
        raise CliError(f"No component {component!r} has a log here. There are: {', '.join(known)}.", ExitCode.NOT_FOUND)
    for line in file.read_text(errors="replace").splitlines()[-tail:] if tail else ():
        result(line)
    if follow:
        with until_interrupted():
            _follow(file)


def _follow(file: Path) -> None:
    """Prints what is appended; a log that was cut to start anew is read from its start."""
    position = file.stat().st_size
    while True:
        size = file.stat().st_size
        if size < position:
            position = 0
        if size > position:
            with file.open(errors="replace") as log:
                log.seek(position)
                passed_on(log.read())
                position = log.tell()
        time.sleep(FOLLOW_SECONDS)
