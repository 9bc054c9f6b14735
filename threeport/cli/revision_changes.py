"""What one revision changed: in a few words for a list, and field by field for one of them.

Values of Secrets are no part of either: what the API shows of them in a revision are digests.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import click
import orjson

from threeport.cli.difference_text import change_lines
from threeport.common.differences import ABSENT, Difference, differences
from threeport.common.types import FrozenJson

NOTHING: Final = "no manifest"
"""What a revision changed that was made for another field of its definition."""
FEW: Final = 4
"""Changes, or objects, that are named in a list."""
SHORT: Final = 60
"""Characters of a value that stands in a list."""

_OF_OBJECT: Final = re.compile(r"\[([^]]+)\]\.?(.*)", re.DOTALL)
"""A path below a list of manifests: the object, and the field of it."""
_KEY: Final = re.compile(r"\[([^]=]*[./][^]=]*)\]$")
"""The end of a path where a key has dots of its own: ``data[nginx.conf]``."""
_LAST: Final = re.compile(r"(?:[^.\[\]]|\[[^]]*\])+$")


class ObjectChange(NamedTuple):
    """One field of one object (``Deployment/web``), or the whole object where `field` is empty."""

    subject: str
    field: str
    difference: Difference


def changes_between(former: FrozenJson, revision: FrozenJson) -> list[ObjectChange]:
    """Every field of every manifest in which two revisions differ."""
    found = differences(former["spec"]["manifests"], revision["spec"]["manifests"])
    matched = [(_OF_OBJECT.fullmatch(one.path), one) for one in found]
    return [ObjectChange(match[1], match[2], one) for match, one in matched if match]


def in_brief(former: FrozenJson | None, revision: FrozenJson) -> str:
    """What a revision changed, on one line; of the first one that is kept, what it holds."""
    if former is None:
        return f"holds {_few([_name_of(one) for one in revision['spec']['manifests']])}"
    changes = changes_between(former, revision)
    fields = Counter((one.subject, _last(one.field)) for one in changes)
    return _few([_brief(one, alone=fields[one.subject, _last(one.field)] == 1) for one in changes]) or NOTHING


def in_full(former: FrozenJson, revision: FrozenJson) -> Iterator[str]:
    """What a revision changed, field by field."""
    said = ""
    for subject, field, difference in changes_between(former, revision):
        sign, color = _sign(field, difference)
        if not field or subject != said:
            yield "  " + click.style(f"{sign} {subject}", fg=color)
        said = subject
        if field:
            yield from change_lines({**difference.as_json(), "path": field}, " " * 6)


def _sign(field: str, difference: Difference) -> tuple[str, str]:
    if field or ABSENT not in (difference.old, difference.new):
        return "~", "yellow"
    return ("+", "green") if difference.old is ABSENT else ("-", "red")


def _brief(change: ObjectChange, *, alone: bool) -> str:
    subject, field, (_, old, new) = change
    if not field:
        return f"{_sign(field, change.difference)[0]} {subject}"
    name = _last(field) if alone else field
    if subject.startswith("Secret/"):
        return f"{name} of {subject}"
    values = [_value(old), _value(new)]
    return f"{name} of {subject}" + ("" if None in values else f": {values[0]} → {values[1]}")


def _value(value: object) -> str | None:
    """A value on a line; None if it is too long for that, or has a structure."""
    if value is ABSENT:
        return "none"
    if isinstance(value, dict | list):
        return None
    text = value if isinstance(value, str) and value else orjson.dumps(value).decode()
    return text if len(text) <= SHORT and "\n" not in text else None


def _last(field: str) -> str:
    """``image`` of ``spec.template.spec.containers[name=web].image``."""
    if key := _KEY.search(field):
        return key[1]
    last = _LAST.search(field)
    return last[0] if last else field


def _few(names: Sequence[str]) -> str:
    more = f", and {len(names) - FEW} more" if len(names) > FEW else ""
    return ", ".join(names[:FEW]) + more


def _name_of(manifest: FrozenJson) -> str:
    return f"{manifest['kind']}/{manifest['metadata']['name']}"
