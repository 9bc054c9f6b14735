"""``tptctl logs``: what the containers of a workload write."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing

import click

from threeport.cli import completing
from threeport.cli.console import result
from threeport.cli.errors import CliError
from threeport.cli.instances import INSTANCE, instance_called
from threeport.cli.session import connected, control_plane_option, namespace_option, run, until_interrupted
from threeport.cli.times import Duration
from threeport.client import Client
from threeport.client.errors import Unreachable
from threeport.client.paths import object_path

TAIL = 1000
"""Lines per container that are shown unless told otherwise: the newest, and not the first 10 MiB."""

LARGEST_LOG = 10 * 1024 * 1024
"""Bytes after which the API breaks off a log that is not followed."""


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
    with until_interrupted(endless=follow):
        run(_logs(what, namespace, {name: value for name, value in query.items() if value}, control_plane))


async def _logs(what: str, namespace: str, query: dict[str, str], control_plane: str | None) -> None:
    printer = Printer()
    async with connected(control_plane) as client:
        path = object_path(INSTANCE, await instance_called(client, what), namespace, "log")
        try:
            async with aclosing(_chunks(client, path, query)) as chunks:
                async for chunk in chunks:
                    printer.write(chunk)
        except Unreachable as error:
            if printer.written is None:
                raise
            if printer.written >= LARGEST_LOG and "follow" not in query:
                raise CliError(
                    f"This is not all: an answer holds {LARGEST_LOG // 1024**2} MiB. Narrow it down with --tail, "
                    "--since, -C or an object, or take all of it with --tail -1 -f."
                ) from None
            raise CliError(f"The log was cut ({error}). Go on with --since, such as --since 1m.") from None
        finally:
            printer.end()


async def _chunks(client: Client, path: str, query: dict[str, str]) -> AsyncGenerator[bytes, None]:
    """The log as it comes, after an empty chunk for its beginning. What its reader fails at is no fault of the API."""
    # A program may be silent for as long as it likes.
    async with client.transport.stream(path, query, silence=None) as content:
        yield b""
        async for chunk in content.iter_any():
            yield chunk


class Printer:
    """Puts a log on stdout: as it is into a file or a pipe, line by line and harmless on a terminal."""

    def __init__(self) -> None:
        self.written: int | None = None
        """Bytes; None before it has begun."""
        self._is_terminal = sys.stdout.isatty()
        self._rest = b""

    def write(self, chunk: bytes) -> None:
        """Some more of the log."""
        self.written = (self.written or 0) + len(chunk)
        if not self._is_terminal:
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
            return
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            result(line.removesuffix(b"\r").decode(errors="replace"))

    def end(self) -> None:
        """The log is over, be it in the middle of a line."""
        if self._rest:
            result(self._rest.decode(errors="replace"))
