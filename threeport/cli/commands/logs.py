"""``tptctl logs``: what the containers of a workload write."""

from __future__ import annotations

import sys

import click

from threeport.cli import completing
from threeport.cli.errors import CliError
from threeport.cli.instances import INSTANCE, instance_called
from threeport.cli.session import connected, control_plane_option, namespace_option, run
from threeport.cli.times import Duration
from threeport.client.errors import Unreachable
from threeport.client.paths import object_path

TAIL = 1000
"""Lines per container that are shown unless told otherwise: the newest, and not the first 10 MiB."""


@click.command()
@click.argument("what", metavar="workload/NAME|workloadinstance/NAME", shell_complete=completing.workloads)
@click.argument("resource", default="", metavar="[RESOURCE]")
@namespace_option
@click.option("--follow", "-f", is_flag=True, help="Go on with what is written, also by new pods, until Ctrl-C.")
@click.option("--tail", type=int, default=TAIL, show_default=True, help="Newest lines per container; -1: all.")
@click.option("--since", type=Duration(), default=None, help="Only what is younger: 90s, 5m, 1h30m.")
@click.option("--container", "-C", default="", help="Only containers of this name.")
@click.option("--previous", "-p", is_flag=True, help="Of containers before their last restart.")
@click.option("--timestamps", is_flag=True, help="Each line with its time.")
@click.option("--prefix/--no-prefix", default=None, help="Say which pod a line is from; default: if several write.")
@control_plane_option
def command(
    what: str,
    resource: str,
    namespace: str,
    follow: bool,
    tail: int,
    since: float | None,
    container: str,
    previous: bool,
    timestamps: bool,
    prefix: bool | None,
    control_plane: str | None,
) -> None:
    """Show what the containers of a workload write, in the order of time.

    RESOURCE (such as deployment/web or pod/web-0) narrows it down to the pods of one object of the workload.
    """
    query = {
        "resource": resource,
        "container": container,
        "tailLines": str(tail) if tail >= 0 else "",
        "sinceSeconds": str(max(1, round(since))) if since is not None else "",
        "follow": "true" if follow else "",
        "previous": "true" if previous else "",
        "timestamps": "true" if timestamps else "",
        "prefix": str(prefix).lower() if prefix is not None else "",
    }
    run(_logs(what, namespace, {name: value for name, value in query.items() if value}, control_plane))


async def _logs(what: str, namespace: str, query: dict[str, str], control_plane: str | None) -> None:
    begun = False
    async with connected(control_plane) as client:
        path = object_path(INSTANCE, await instance_called(client, what), namespace, "log")
        try:
            # A program may be silent for as long as it likes.
            async with client.transport.stream(path, query, silence=None) as content:
                begun = True
                async for chunk in content.iter_any():
                    sys.stdout.buffer.write(chunk)
                    sys.stdout.buffer.flush()
        except Unreachable as error:
            if not begun:
                raise
            raise CliError(f"The log was cut ({error}). Go on with --since, such as --since 1m.") from None
