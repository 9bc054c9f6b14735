"""``tptctl version``: of the CLI, and of the API if it answers."""

from __future__ import annotations

import click
import orjson

import threeport
from threeport.cli.console import note, result
from threeport.cli.session import connected, control_plane_option, run
from threeport.common.errors import ApiError

PROBE_SECONDS = 3.0


@click.command()
@click.option("--client", "client_only", is_flag=True, help="Do not ask the API.")
@control_plane_option
def command(client_only: bool, control_plane: str | None) -> None:
    """Show the versions of tptctl and of the API."""
    result(f"tptctl {threeport.__version__}")
    if not client_only and (control_plane or _is_configured()):
        run(_show_server(control_plane))


def _is_configured() -> bool:
    # Imported here: the version of tptctl alone takes no client.
    from threeport.client.config import Configuration

    return bool(Configuration.read().current)


async def _show_server(control_plane: str | None) -> None:
    async with connected(control_plane) as client:
        try:
            version = orjson.loads(await client.get_path("/version", timeout=PROBE_SECONDS))
        except ApiError as error:
            note(f"The API does not say its version: {error}")
            return
    result(f"API {version.get('threeportVersion') or version.get('gitVersion')}")
