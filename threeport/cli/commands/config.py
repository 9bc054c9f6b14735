"""``tptctl config``: which control planes there are, which one commands speak to, and kubectl's way to it."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import click

from threeport.bootstrap.configuration import add_control_plane, use_control_plane
from threeport.bootstrap.local.certificates import Certificate
from threeport.bootstrap.local.identities import IdentityFiles, kubeconfig, prepare_identities, viewer_certificate
from threeport.cli import completing
from threeport.cli.console import columns, note, result
from threeport.cli.errors import CliError
from threeport.client.config import Configuration, ControlPlaneEntry
from threeport.controller.installed import installed_controllers

OWN = "own"
"""The provider of a control plane whose processes somebody else looks after than `tptctl up`."""

_PERSON = re.compile(r"[A-Za-z0-9][-A-Za-z0-9.@_]{0,49}")


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
@click.option("--viewer", metavar="PERSON", help="For a person who may look, and change nothing.")
@click.option(
    "--days", type=click.IntRange(1, 365), default=30, show_default=True, help="With --viewer: how long it is good."
)
def print_kubeconfig(name: str | None, viewer: str | None, days: int) -> None:
    """Print a kubeconfig of the API, for kubectl and other clients of Kubernetes. It holds the administrator's key.

    With --viewer it holds a new key with which that person reads all objects, but no secrets in them, and changes
    nothing. It cannot be taken back before it ends.
    """
    entry = Configuration.read().control_plane(name)
    try:
        authority = Path(entry.ca_file).read_bytes()
        shown = _administrator(entry) if viewer is None else _viewer(entry, viewer, days)
    except OSError as error:
        raise CliError(
            f"{error.filename} cannot be read: {error.strerror}. Run `tptctl up --name {entry.name}` to make it anew."
        ) from None
    label = f"threeport-{entry.name}"
    result(
        kubeconfig(entry.url, authority=authority, certificate=shown.certificate, key=shown.key, name=label).rstrip()
    )


def _administrator(entry: ControlPlaneEntry) -> Certificate:
    return Certificate(Path(entry.cert_file).read_bytes(), Path(entry.key_file).read_bytes())


def _viewer(entry: ControlPlaneEntry, person: str, days: int) -> Certificate:
    if not _PERSON.fullmatch(person):
        raise click.BadParameter("use up to 50 letters, digits, '.', '@', '_' and '-'.", param_hint="--viewer")
    return viewer_certificate(IdentityFiles(Path(entry.ca_file).parent), person, life=timedelta(days=days))


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
