"""``tptctl down``: stops a control plane, and removes it if that is wanted."""

from __future__ import annotations

import click

from threeport.bootstrap.local.control_plane import down
from threeport.bootstrap.local.installation import Installation
from threeport.bootstrap.local.state import Phase, SupervisorState
from threeport.cli.console import note, progress
from threeport.cli.errors import CliError
from threeport.cli.exit_codes import ExitCode
from threeport.cli.session import named_option
from threeport.client.config import Configuration


@click.command()
@named_option
@click.option("--delete-data", is_flag=True, help="Also remove its data and its entry in the configuration, for good.")
def command(name: str | None, delete_data: bool) -> None:
    """Stop a control plane. Its data stays, and `tptctl up` goes on with it.

    What it has put into clusters stays there; delete it first if it should not.
    """
    chosen = Configuration.read().current or "default" if name is None else name
    installation = Installation.named(chosen)
    if not installation.directory.exists():
        raise CliError(f"There is no local control plane {chosen!r}.", ExitCode.NOT_FOUND)
    with progress(f"Stopping control plane {chosen}") as say:
        ran = down(installation, delete_data=delete_data, on_progress=lambda state: say(_summary(state)))
    if delete_data:
        note(f"Control plane {chosen} and its data are gone.")
    elif ran:
        note(f"Control plane {chosen} is stopped. Its data stays: `tptctl up --name {chosen}` goes on with it.")
    else:
        note(f"Control plane {chosen} did not run.")


def _summary(state: SupervisorState) -> str:
    left = [process.name for process in state.processes if process.phase != Phase.STOPPED]
    return f"Stopping {', '.join(reversed(left))}" if left else "Stopped"
