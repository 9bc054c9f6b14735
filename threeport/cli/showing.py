"""Objects shown in one of several forms, and again whenever something of what is shown has changed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

import orjson

from threeport.cli.console import note, result
from threeport.cli.errors import CliError
from threeport.cli.exit_codes import ExitCode
from threeport.cli.session import namespace_of
from threeport.cli.tables import Look, Table, merged
from threeport.cli.templates import expand
from threeport.cli.yaml_output import as_yaml
from threeport.common.errors import NotFound
from threeport.common.types import JsonObject
from threeport.resources.kind import Kind

if TYPE_CHECKING:
    from threeport.client import Client

JSONPATH = "jsonpath="
TABLES = ("table", "wide")
FORMS = (*TABLES, "json", "yaml", "name", JSONPATH)
"""What `output` can be; behind the last one stands a template."""


class View:
    """Shows objects in one form."""

    def __init__(self, client: Client, output: str, namespace: str | None, selector: str) -> None:
        self._client = client
        self._output = output
        self._namespace = namespace
        self._selector = selector
        self._widths: list[int] | None = None
        self._revisions: dict[str, str] = {}
        """The revision in which each object was seen last, by uid."""
        self._looks: dict[str, Look] = {}
        """What its row said when it was shown last, by uid."""

    async def show_kinds(self, kinds: Sequence[Kind]) -> None:
        """All objects of the kinds."""
        if self._output in TABLES:
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
                raise CliError(
                    f"{kind.singular}/{name} lies in a namespace: give it with -n instead of -A.", ExitCode.USAGE
                )
        if self._output in TABLES:
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
        if self._output not in TABLES:
            if self._output == "yaml":
                result("---")
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
        if self._looks_new(table):
            self._print_table(kind, table, header=self._widths is None)

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
        for table in (table for _, table in groups):
            self._looks_new(table)
            for row in table.rows:
                self._is_news(row["object"]["metadata"])
        if not any(table.rows for _, table in groups):
            place = f" in namespace {self._namespace}" if self._namespace and _any_namespaced(groups) else ""
            note(f"No {', '.join(kind.plural for kind, _ in groups) or 'objects'} found{place}.")
            return
        for number, (kind, table) in enumerate(groups):
            if number:
                result("")
            self._widths = None
            self._print_table(kind, table, prefix=f"{kind.singular}/" if len(groups) > 1 else "")

    def _print_table(self, kind: Kind, table: Table, *, prefix: str = "", header: bool = True) -> None:
        lines, self._widths = table.lines(
            wide=self._output == "wide",
            with_namespace=self._namespace is None and kind.namespaced,
            prefix=prefix,
            widths=self._widths,
            header=header,
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
        elif self._output == "yaml":
            result(as_yaml(document))
        else:
            result(expand(self._output.removeprefix(JSONPATH), document))

    def _is_news(self, metadata: JsonObject) -> bool:
        """Whether this revision of an object has not been seen yet; notes that it is from now on."""
        before = self._revisions.get(metadata["uid"])
        self._revisions[metadata["uid"]] = metadata["resourceVersion"]
        return bool(before != metadata["resourceVersion"])

    def _looks_new(self, table: Table) -> bool:
        """Whether a row says what it did not say before: most changes are of fields that no column shows."""
        looks = table.looks(wide=self._output == "wide")
        changed = any(self._looks.get(uid) != look for uid, look in looks.items())
        self._looks |= looks
        return changed

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
