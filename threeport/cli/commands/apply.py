"""``tptctl apply``: what the files say becomes what the API holds, all of it or nothing."""

from __future__ import annotations

from collections.abc import Sequence

import click

from threeport.cli import completing
from threeport.cli.applying import Outcome, apply_documents, content_of
from threeport.cli.console import result
from threeport.cli.documents import Document, read_documents
from threeport.cli.session import connected, control_plane_option, namespace_option, run


@click.command()
@click.option(
    "--filename", "-f", "sources", multiple=True, required=True, metavar="FILE",
    help="A file, a directory, or - for stdin; may be repeated.", shell_complete=completing.files,
)  # fmt: skip
@namespace_option
@click.option(
    "--dry-run", type=click.Choice(["none", "server"]), is_flag=False, flag_value="server", default="none",
    help="With server: ask the API what would happen, and change nothing.",
)  # fmt: skip
@click.option("--force-conflicts", is_flag=True, help="Take over fields that another program has set.")
@control_plane_option
def command(
    sources: tuple[str, ...], namespace: str, dry_run: str, force_conflicts: bool, control_plane: str | None
) -> None:
    """Create or change objects from files, all or nothing.

    A workload may name its manifests by path (spec.manifests: [app.yaml]), relative to its file. `tptctl diff -f FILE`
    shows beforehand what would change, field by field, here and in the clusters.
    """
    documents = read_documents(sources)
    run(_apply(documents, namespace, dry_run == "server", force_conflicts, control_plane))


async def _apply(
    documents: Sequence[Document], namespace: str, dry_run: bool, force: bool, control_plane: str | None
) -> None:
    async with connected(control_plane) as client:
        outcomes = await apply_documents(client, documents, namespace, force=force, dry_run=dry_run)
    suffix = " (server dry run)" if dry_run else ""
    for outcome in outcomes:
        result(f"{outcome.target} {_what_happened(outcome)}{suffix}")


def _what_happened(outcome: Outcome) -> str:
    if outcome.is_new or outcome.old is None:
        return "created"
    return "unchanged" if content_of(outcome.old) == content_of(outcome.new) else "configured"
