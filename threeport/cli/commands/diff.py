"""``tptctl diff``: what files would change, per field, in the API and in every cluster; nothing is changed by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import click
import orjson

from threeport.cli import completing
from threeport.cli.applying import Outcome, apply_documents, content_of
from threeport.cli.console import note, result
from threeport.cli.difference_text import change_lines, foreseen_lines
from threeport.cli.documents import Document, read_documents
from threeport.cli.errors import CliError, report
from threeport.cli.exit_codes import ExitCode
from threeport.cli.instances import DEFINITION, INSTANCE, WORKLOAD
from threeport.cli.previews import Foreseen, foresee
from threeport.cli.proposals import questions_about_change, questions_about_object
from threeport.cli.session import connected, control_plane_option, named_objects, namespace_option, run
from threeport.cli.yaml_output import as_yaml
from threeport.client import Client
from threeport.common.differences import differences
from threeport.common.types import JsonObject

DIFFERENT: Final = 1
"""The exit code that says so, as that of ``kubectl diff``; every error is more than it."""

_MANIFESTS: Final = "spec.manifests["


@dataclass(frozen=True, slots=True)
class _Differences:
    """Of the objects of the API, and of what is in the clusters."""

    objects: Sequence[JsonObject]
    instances: Sequence[Foreseen]

    @property
    def exit_code(self) -> int:
        if any(one.failed for one in self.instances):
            return ExitCode.USAGE
        return DIFFERENT if self.objects or any(one.differs for one in self.instances) else ExitCode.OK


@click.command()
@click.argument("what", nargs=-1, metavar="[KIND/NAME...]", shell_complete=completing.objects)
@click.option(
    "--filename", "-f", "sources", multiple=True, metavar="FILE",
    help="A file, a directory, or - for stdin; may be repeated.", shell_complete=completing.files,
)  # fmt: skip
@namespace_option
@click.option("--output", "-o", type=click.Choice(["text", "json", "yaml"]), default="text", show_default=True)
@click.option("--force-conflicts", is_flag=True, help="As if fields that another program has set were taken over.")
@control_plane_option
def command(
    what: tuple[str, ...],
    sources: tuple[str, ...],
    namespace: str,
    output: str,
    force_conflicts: bool,
    control_plane: str | None,
) -> None:
    """Show what would change, and change nothing.

    With -f: what applying the files would do to the objects of the API and, for workloads, in every cluster that they
    reach. With KIND/NAME of a workload: what its clusters lack of what it says, now.

    The exit code is 0 without differences, 1 with some, and more if something is wrong.
    """
    if bool(what) == bool(sources):
        raise click.UsageError("Say what to compare: -f FILE, or KIND/NAME.")
    try:
        if sources:
            found = run(_of_files(read_documents(sources), namespace, force_conflicts, control_plane))
        else:
            found = run(_of_objects(what, namespace, control_plane))
    except click.ClickException:
        raise
    except Exception as error:
        raise click.exceptions.Exit(max(report(error), DIFFERENT + 1)) from None
    _show(found, output)
    raise click.exceptions.Exit(found.exit_code)


async def _of_files(
    documents: Sequence[Document], namespace: str, force: bool, control_plane: str | None
) -> _Differences:
    async with connected(control_plane) as client:
        outcomes = await apply_documents(client, documents, namespace, force=force, dry_run=True)
        foreseen = await foresee(client, await questions_about_change(client, outcomes))
    changed = [one for outcome in outcomes if (one := _object_difference(outcome)) is not None]
    return _Differences(changed, foreseen)


async def _of_objects(what: tuple[str, ...], namespace: str, control_plane: str | None) -> _Differences:
    async with connected(control_plane) as client:
        return _Differences([], await _compare(client, what, namespace))


async def _compare(client: Client, what: tuple[str, ...], namespace: str) -> list[Foreseen]:
    questions = []
    for kind, name in named_objects(await client.catalog(), what):
        if kind.resource not in (WORKLOAD.resource, DEFINITION.resource, INSTANCE.resource):
            raise CliError(
                f"{kind.singular}/{name} puts nothing into clusters that it could be compared with. Compare it with "
                "a file: tptctl diff -f FILE."
            )
        questions += await questions_about_object(client, kind, name, namespace)
    return await foresee(client, questions)


def _object_difference(outcome: Outcome) -> JsonObject | None:
    """What would become of one object of the API; None if nothing."""
    target = outcome.target
    told: JsonObject = {"apiVersion": target.kind.api_version, "kind": target.kind.kind, "name": target.name}
    if target.namespace:
        told["namespace"] = target.namespace
    if outcome.is_new or outcome.old is None:
        return told | {"action": "Create"}
    changes = [one.as_json() for one in differences(content_of(outcome.old), content_of(outcome.new))]
    return told | {"action": "Change", "changes": changes} if changes else None


def _show(found: _Differences, output: str) -> None:
    if output != "text":
        document = {"objects": list(found.objects), "instances": [one.as_json() for one in found.instances]}
        result(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() if output == "json" else as_yaml(document))
        return
    for one in found.objects:
        for line in _object_lines(one, found.instances):
            result(line)
    shown = [one for one in found.instances if one.tells]
    for number, instance in enumerate(shown):
        if number or found.objects:
            result("")
        for line in foreseen_lines(instance):
            result(line)
    if not found.objects and not shown:
        note("No differences.")


def _object_lines(one: JsonObject, instances: Sequence[Foreseen]) -> list[str]:
    """Manifests are counted where the clusters say below what becomes of them."""
    name = click.style(f"{one['kind'].lower()}/{one['name']}", bold=True)
    if one["action"] == "Create":
        return [f"{name} {click.style('would be created', fg='green')}"]
    changes = one["changes"]
    manifests = [change for change in changes if change["path"].startswith(_MANIFESTS)]
    told_below = any(not instance.error and not instance.note for instance in instances)
    lines = [f"{name} {click.style('would be changed', fg='yellow')}"]
    for change in changes:
        if not (told_below and change in manifests):
            lines += change_lines(change, "    ")
    if told_below and manifests:
        count = f"{len(manifests)} change{'s' if len(manifests) > 1 else ''}"
        lines.append(f"    spec.manifests: {count}; below is what that means for the clusters")
    return lines
