"""``tptctl config``: which control planes there are, which one commands speak to, and kubectl's way to it."""

from __future__ import annotations

from pathlib import Path

import click

from threeport.bootstrap.configuration import use_control_plane
from threeport.bootstrap.local.identities import kubeconfig
from threeport.cli import completing
from threeport.cli.console import columns, note, result
from threeport.cli.errors import CliError
from threeport.client.config import Configuration


@click.group()
def command() -> None:
    """Choose between control planes; get a kubeconfig of their API."""


@command.command("get-control-planes", short_help="List the control planes.")
def get_control_planes() -> None:
    """List the control planes; * marks the one that commands speak to."""
    configuration = Configuration.read()
    if not configuration.control_planes:
        note("There is no control plane yet. Start one with `tptctl up`.")
        return
    rows = [
        ["*" if name == configuration.current else "", name, entry.provider, entry.url]
        for name, entry in sorted(configuration.control_planes.items())
    ]
    for line in columns(["Current", "Name", "Provider", "URL"], rows):
        result(line)


@command.command("use-control-plane", short_help="Let commands speak to another control plane.")
@click.argument("name", shell_complete=completing.control_planes)
def use(name: str) -> None:
    """Let commands speak to the control plane NAME from now on."""
    use_control_plane(name)
    note(f"Commands speak to control plane {name} now.")


@command.command("kubeconfig", short_help="Print a kubeconfig of the API, for kubectl.")
@click.argument("name", required=False, shell_complete=completing.control_planes)
def print_kubeconfig(name: str | None) -> None:
    """Print a kubeconfig of the API, for kubectl and other clients of Kubernetes. It holds the administrator's key."""
    entry = Configuration.read().control_plane(name)
    try:
        authority, certificate, key = (
            Path(file).read_bytes() for file in (entry.ca_file, entry.cert_file, entry.key_file)
        )
    except OSError as error:
        raise CliError(
            f"{error.filename} cannot be read: {error.strerror}. Run `tptctl up --name {entry.name}` to make it anew."
        ) from None
    text = kubeconfig(entry.url, authority=authority, certificate=certificate, key=key, name=f"threeport-{entry.name}")
    result(text.rstrip())
