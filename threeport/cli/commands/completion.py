"""``tptctl completion``: the script that a shell needs to complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from threeport.cli.console import result
from threeport.cli.errors import CliError


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of a shell, as in: source <(tptctl completion bash)"""
    from threeport.cli.main import cli

    found = get_completion_class(shell)
    if found is None:
        raise CliError(f"There is no completion for {shell}.")
    result(found(cli, {}, "tptctl", "_TPTCTL_COMPLETE").source())
