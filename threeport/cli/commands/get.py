"""``tptctl get``: objects as a table, or as they are."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing

import click
import orjson
import yaml

from threeport.cli.console import note, result
from threeport.cli.errors import CliError
from threeport.cli.session import (
    connected,
    control_plane_option,
    kind_called,
    named_objects,
    namespace_of,
    namespace_option,
    run,
)
from threeport.cli.tables import Table, merged
from threeport.client import Client
from threeport.common.errors import NotFound
from threeport.common.types import JsonObject
from threeport.resources.kind import Catalog, Kind

FORMATS = ("table", "wide", "json", "yaml", "name")


@click.command()
@click.argument("what", nargs=-1, required=True, metavar="KIND [NAME...] | KIND/NAME...")
@click.option("--output", "-o", type=click.Choice(FORMATS), default="table", show_default=True, help="The form.")
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
    run(_get(what, output, None if all_namespaces else namespace, selector, watch, control_plane))


async def _get(
    what: tuple[str, ...], output: str, namespace: str | None, selector: str, watch: bool, control_plane: str | None
) -> None:
    async with connected(control_plane) as client:
        catalog = await client.catalog()
        view = _View(client, output, namespace, selector)
        if len(what) == 1 and "/" not in what[0]:
            kinds = _kinds(catalog, what[0])
            await view.show_kinds(kinds)
            if watch:
                if len(kinds) > 1:
                    raise click.UsageError("Only one kind can be watched at a time.")
                await view.follow(kinds[0], ())
            return
        objects = named_objects(catalog, what)
        await view.show_objects(objects)
        if watch:
            if len({kind.resource for kind, _ in objects}) > 1:
                raise click.UsageError("Only objects of one kind can be watched at a time.")
            await view.follow(objects[0][0], [name for _, name in objects])


def _kinds(catalog: Catalog, word: str) -> list[Kind]:
    """The kinds of ``workloads``, ``workloads,runtimes``, or of a category (``all``: that of Threeport's kinds)."""
    category = "threeport" if word == "all" else word
    of_category = [kind for kind in catalog if category in kind.categories]
    return of_category or [kind_called(catalog, part) for part in word.split(",")]


class _View:
    """Shows objects in one form."""

    def __init__(self, client: Client, output: str, namespace: str | None, selector: str) -> None:
        self._client = client
        self._output = output
        self._namespace = namespace
        self._selector = selector
        self._widths: list[int] | None = None
        self._shown: dict[str, str] = {}
        """The revision in which each object was shown, by uid."""

    async def show_kinds(self, kinds: Sequence[Kind]) -> None:
        """All objects of the kinds."""
        if self._output in ("table", "wide"):
            await self._show_tables(kinds)
            return
        found: list[tuple[Kind, JsonObject]] = []
        for kind in kinds:
            listed = await self._client.list(kind, self._place(kind), label_selector=self._selector)
            found += [(kind, obj) for obj in listed.items]
        self._print(found, as_list=True)

    async def show_objects(self, objects: Sequence[tuple[Kind, str]]) -> None:
        """The objects of these names. Raises `NotFound`, or `CliError` if a name needs a namespace."""
        for kind, name in objects:
            if kind.namespaced and self._namespace is None:
                raise CliError(f"{kind.singular}/{name} lies in a namespace: give it with -n instead of -A.")
        if self._output in ("table", "wide"):
            tables = [(kind, Table(await self._client.table(kind, name, self._place(kind)))) for kind, name in objects]
            self._print_tables(tables)
            return
        found = [(kind, await self._client.get(kind, name, self._place(kind))) for kind, name in objects]
        self._print(found, as_list=len(found) > 1)

    async def follow(self, kind: Kind, names: Sequence[str]) -> None:
        """Shows every change of what was shown, and what is new, without end."""
        events = self._client.watch(kind, self._place(kind), label_selector=self._selector)
        async with aclosing(events):
            async for event in events:
                metadata = event.object["metadata"]
                if names and metadata["name"] not in names:
                    continue
                if event.type != "DELETED" and not self._is_news(metadata):
                    continue
                await self._show_change(kind, event.type, event.object)

    async def _show_change(self, kind: Kind, what: str, obj: JsonObject) -> None:
        if self._output not in ("table", "wide"):
            self._print([(kind, obj)], as_list=False)
            return
        metadata = obj["metadata"]
        if what == "DELETED":
            result(f"{metadata['name']} deleted")
            return
        try:
            table = Table(await self._client.table(kind, metadata["name"], metadata.get("namespace")))
        except NotFound:
            return  # deleted meanwhile: the watch will say so
        lines, self._widths = table.lines(
            wide=self._output == "wide", with_namespace=self._namespace is None, widths=self._widths, header=False
        )
        for line in lines:
            result(line)

    async def _show_tables(self, kinds: Sequence[Kind]) -> None:
        tables = []
        for kind in kinds:
            answer = await self._client.table(kind, "", self._place(kind), label_selector=self._selector)
            table = Table(answer)
            if table.rows or len(kinds) == 1:
                tables.append((kind, table))
        self._print_tables(tables)

    def _print_tables(self, tables: Sequence[tuple[Kind, Table]]) -> None:
        """One table per kind; with several kinds, names carry their kind and a blank line lies between."""
        groups = merged(tables)
        for row in (row for _, table in groups for row in table.rows):
            self._is_news(row["object"]["metadata"])
        if not any(table.rows for _, table in groups):
            place = f" in namespace {self._namespace}" if self._namespace and _any_namespaced(groups) else ""
            note(f"No {', '.join(kind.plural for kind, _ in groups) or 'objects'} found{place}.")
            return
        for number, (kind, table) in enumerate(groups):
            if number:
                result("")
            lines, self._widths = table.lines(
                wide=self._output == "wide",
                with_namespace=self._namespace is None and kind.namespaced,
                prefix=f"{kind.singular}/" if len(groups) > 1 else "",
            )
            for line in lines:
                result(line)

    def _print(self, found: Sequence[tuple[Kind, JsonObject]], *, as_list: bool) -> None:
        for _, obj in found:
            self._is_news(obj["metadata"])
        if self._output == "name":
            for kind, obj in found:
                result(f"{kind.singular}/{obj['metadata']['name']}")
            return
        objects = [_for_people(obj) for _, obj in found]
        document = {"apiVersion": "v1", "kind": "List", "items": objects} if as_list else objects[0]
        if self._output == "json":
            result(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
        else:
            result(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120).rstrip())

    def _is_news(self, metadata: JsonObject) -> bool:
        """Whether this revision of an object is not shown yet; notes that it is from now on."""
        before = self._shown.get(metadata["uid"])
        self._shown[metadata["uid"]] = metadata["resourceVersion"]
        return bool(before != metadata["resourceVersion"])

    def _place(self, kind: Kind) -> str | None:
        return namespace_of(kind, self._namespace) if self._namespace else None


def _for_people(obj: JsonObject) -> JsonObject:
    """The object as one would write it: the kind first, then the metadata, without the record of who applied what."""
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    first = ("name", "namespace", "labels", "annotations")
    ordered = {key: metadata[key] for key in (*(key for key in first if key in metadata), *metadata)}
    return {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": ordered} | {
        key: value for key, value in obj.items() if key not in ("apiVersion", "kind", "metadata")
    }


def _any_namespaced(groups: Sequence[tuple[Kind, Table]]) -> bool:
    return any(kind.namespaced for kind, _ in groups)
