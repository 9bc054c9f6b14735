"""Differences for people: a line for each object and field, blocks where a value has several lines."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import unified_diff
from typing import Any, Final

import click
import orjson

from threeport.cli.previews import Foreseen
from threeport.cli.yaml_output import as_yaml
from threeport.common.types import FrozenJson

ONE_LINE: Final = 100
"""Characters of two values that stand on one line."""
_INDENT: Final = "  "

_SIGNS: Final = {
    "Create": ("+", "green"),
    "Change": ("~", "yellow"),
    "Replace": ("±", "magenta"),
    "Prune": ("-", "red"),
    "Unchanged": ("=", "white"),
}


def foreseen_lines(foreseen: Foreseen) -> Iterator[str]:
    """What would become of one instance."""
    where = f" on {foreseen.runtime}" if foreseen.runtime else ""
    space = f", namespace {foreseen.cluster_namespace}" if foreseen.cluster_namespace else ""
    said = foreseen.summary or foreseen.note or ""
    title = click.style(f"workloadinstance/{foreseen.name}", bold=True)
    yield f"{title}{where}{space}{f': {said}' if said else ''}"
    if foreseen.error:
        yield _INDENT + click.style(f"! {foreseen.error}", fg="red")
    for one in foreseen.resources:
        if one["action"] != "Unchanged" or one.get("error") or one.get("message"):
            yield from _resource_lines(one, foreseen)
    if foreseen.truncated:
        yield _INDENT + click.style(foreseen.truncated, fg="yellow")


def _resource_lines(one: FrozenJson, foreseen: Foreseen) -> Iterator[str]:
    sign, color = _SIGNS[one["action"]]
    elsewhere = one.get("namespace") if one.get("namespace") != foreseen.cluster_namespace else None
    shown = elsewhere if elsewhere and not elsewhere.endswith("<suffix>") else None
    name = f"{one['kind']} {f'{shown}/' if shown else ''}{one['name']}"
    where = f" on {one['runtime']}" if one.get("runtime") else ""
    message = f"  ({one['message']})" if one.get("message") else ""
    yield _INDENT + click.style(f"{sign} {name}", fg=color) + where + message
    for change in one.get("changes") or ():
        yield from change_lines(change, _INDENT * 3)
    if one.get("error"):
        yield _INDENT * 3 + click.style(f"! {one['error']}", fg="red")


def change_lines(change: FrozenJson, indent: str) -> Iterator[str]:
    """One field: ``spec.replicas: 2 → 7``, or the values below each other if they are long."""
    path, old, new = change["path"], change.get("old"), change.get("new")
    if _is_long_text(old) or _is_long_text(new):
        yield f"{indent}{path}:"
        yield from _text_lines(str(old or ""), str(new or ""), indent + _INDENT)
        return
    before = click.style(_short(old), fg="red") if "old" in change else None
    after = click.style(_short(new), fg="green") if "new" in change else None
    if before is not None and after is not None and len(_short(old)) + len(_short(new)) <= ONE_LINE:
        yield f"{indent}{path}: {before} → {after}"
        return
    yield f"{indent}{path}:"
    for sign, value, color in (("-", old, "red"), ("+", new, "green")):
        if ("old" if sign == "-" else "new") in change:
            for number, line in enumerate(_block(value)):
                yield indent + _INDENT + click.style(f"{' ' if number else sign} {line}", fg=color)


def _text_lines(old: str, new: str, indent: str) -> Iterator[str]:
    """The lines that differ, with two around them."""
    lines = unified_diff(old.splitlines(), new.splitlines(), n=2, lineterm="")
    for line in list(lines)[2:]:
        color = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
        yield indent + (click.style(line, fg=color) if color else line)


def _is_long_text(value: Any) -> bool:
    return isinstance(value, str) and "\n" in value.strip("\n")


def _short(value: Any) -> str:
    """A value on one line. Text that would pass for something else is quoted."""
    if not isinstance(value, str):
        return orjson.dumps(value).decode()
    return orjson.dumps(value).decode() if _needs_quotes(value) else value


def _needs_quotes(text: str) -> bool:
    if text != text.strip() or not text or "\n" in text:
        return True
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _block(value: Any) -> list[str]:
    return as_yaml(value).splitlines() if isinstance(value, dict | list) else [_short(value)]
