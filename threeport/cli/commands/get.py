"""``tptctl get``: objects as a table, or as they are."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from threeport.cli import completing
from threeport.cli.session import (
    connected,
    control_plane_option,
    kind_called,
    named_objects,
    namespace_option,
    run,
    until_interrupted,
)
from threeport.cli.showing import FORMS, JSONPATH, View
from threeport.resources.kind import Catalog, Kind


class _Form(click.ParamType[str]):
    """One of `FORMS`; the last of them with a template behind it."""

    name = "form"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        form = str(value)
        if form not in FORMS[:-1] and not form.startswith(JSONPATH):
            self.fail(f"{form!r} is none of {', '.join(FORMS)}TEMPLATE.", param, ctx)
        return form

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(form) for form in FORMS if form.startswith(incomplete)]


@click.command()
@click.argument(
    "what", nargs=-1, required=True, metavar="KIND [NAME...] | KIND/NAME...", shell_complete=completing.objects
)
@click.option(
    "--output", "-o", type=_Form(), default="table", show_default=True, metavar="FORM",
    help="table, wide, json, yaml, name, or jsonpath=TEMPLATE such as jsonpath={.items[*].metadata.name}.",
)  # fmt: skip
@namespace_option
@click.option("--all-namespaces", "-A", is_flag=True, help="Objects of all namespaces.")
@click.option("--selector", "-l", default="", metavar="SELECTOR", help="Labels, as a=b,c in (d,e),!f.")
@click.option("--watch", "-w", is_flag=True, help="Then go on showing changes, until Ctrl-C.")
@control_plane_option
def command(
    what: tuple[str, ...],
    output: str,
    namespace: str,
    all_namespaces: bool,
    selector: str,
    watch: bool,
    control_plane: str | None,
) -> None:
    """Show objects. KIND is a plural, singular or short name, or `all`."""
    with until_interrupted(endless=watch):
        run(_get(what, output, None if all_namespaces else namespace, selector, watch, control_plane))


async def _get(
    what: tuple[str, ...], output: str, namespace: str | None, selector: str, watch: bool, control_plane: str | None
) -> None:
    async with connected(control_plane) as client:
        catalog = await client.catalog()
        view = View(client, output, namespace, selector)
        objects = [] if len(what) == 1 and "/" not in what[0] else named_objects(catalog, what)
        kinds = [kind for kind, _ in objects] or _kinds(catalog, what[0])
        if objects and selector:
            raise click.UsageError("-l chooses among all objects of a kind: leave out their names, or -l.")
        if watch and len({kind.resource for kind in kinds}) > 1:
            raise click.UsageError("Only one kind can be watched at a time.")
        await (view.show_objects(objects) if objects else view.show_kinds(kinds))
        if watch:
            await view.follow(kinds[0], [name for _, name in objects])


def _kinds(catalog: Catalog, word: str) -> list[Kind]:
    """The kinds of ``workloads``, ``workloads,runtimes``, or of a category (``all``: that of Threeport's kinds)."""
    category = "threeport" if word == "all" else word
    of_category = [kind for kind in catalog if category in kind.categories]
    return of_category or [kind_called(catalog, part) for part in word.split(",")]
