"""``tptctl config``: which control planes there are, which one commands speak to, and kubectl's way to it."""

from __future__ import annotations

from pathlib import Path

import click

from threeport.bootstrap.configuration import add_control_plane, use_control_plane
from threeport.bootstrap.local.identities import IdentityFiles, kubeconfig, prepare_identities
from threeport.cli import completing
from threeport.cli.console import columns, note, result
from threeport.cli.errors import CliError
from threeport.client.config import Configuration, ControlPlaneEntry
from threeport.controller.installed import installed_controllers

OWN = "own"
"""The provider of a control plane whose processes somebody else looks after than `tptctl up`."""


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


@command.command("identities", short_help="Make certificates and keys for a control plane that you run yourself.")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--host", "hosts", multiple=True, default=("127.0.0.1", "localhost"), show_default=True,
    help="A name or address at which the API is reached; may be repeated.",
)  # fmt: skip
def identities(directory: Path, hosts: tuple[str, ...]) -> None:
    """Make the certificates and keys of a control plane that you run yourself, below DIRECTORY.

    What is there and still good for 60 days is kept, so this can run from a timer. Keys are never replaced.
    """
    try:
        prepare_identities(directory, hosts=hosts, controllers=installed_controllers())
    except OSError as error:
        raise CliError(f"{error.filename or directory} cannot be written: {error.strerror}.") from None
    note(f"{directory} holds what the parts of a control plane need. Keep it for their owner only, and back it up.")


@command.command("add-control-plane", short_help="Let commands speak to a control plane that you run yourself.")
@click.argument("name")
@click.option("--url", required=True, help="Where its API is: https://HOST:PORT.")
@click.option(
    "--identities", "directory", required=True, type=click.Path(path_type=Path, file_okay=False),
    help="The directory that `tptctl config identities` made.",
)  # fmt: skip
def add(name: str, url: str, directory: Path) -> None:
    """Let commands speak to the control plane at URL from now on, as its administrator."""
    existing = Configuration.read().control_planes.get(name)
    if existing is not None and existing.provider != OWN:
        raise CliError(f"Control plane {name!r} is one that `tptctl up` has made: choose another name.")
    files = IdentityFiles(directory.absolute())
    for file in (files.authority.certificate, files.admin.certificate, files.admin.key):
        if not file.is_file():
            raise CliError(f"{file} is missing. Make it with `tptctl config identities {directory}`.")
    entry = ControlPlaneEntry(
        name=name,
        provider=OWN,
        url=url,
        ca_file=str(files.authority.certificate),
        cert_file=str(files.admin.certificate),
        key_file=str(files.admin.key),
    )
    add_control_plane(entry)
    note(f"Commands speak to control plane {name} at {url} now.")
