"""What a request for logs asks for, from its query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from threeport.common.errors import BadRequest

LARGEST_LOG: Final = 10 * 1024 * 1024
"""Bytes of one answer, all containers together, that does not follow. It is not left to the cluster (``limitBytes``),
which would leave out the newest lines of each container without a word."""

_KNOWN: Final = frozenset(
    {"follow", "pod", "container", "resource", "tailLines", "sinceSeconds", "previous", "timestamps", "prefix"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOptions:
    """Which containers, and how much of their logs."""

    follow: bool = False
    pod: str = ""
    container: str = ""
    resource: str = ""
    """``Kind/name`` of the object of the instance whose pods are meant."""
    tail: int | None = None
    """Lines per container."""
    since: int | None = None
    """Seconds."""
    previous: bool = False
    """The container before the last restart."""
    timestamps: bool = False
    prefix: bool | None = None
    """Whether lines say where they are from; None: if there is more than one container."""

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> LogOptions:
        """Raises `BadRequest` for what is not known or not understood."""
        if unknown := sorted(set(query) - _KNOWN):
            raise BadRequest(f"unknown parameter {unknown[0]!r}: there are {', '.join(sorted(_KNOWN))}")
        prefix = query.get("prefix")
        return cls(
            follow=_flag(query, "follow"),
            pod=query.get("pod", ""),
            container=query.get("container", ""),
            resource=query.get("resource", ""),
            tail=_number(query, "tailLines"),
            since=_number(query, "sinceSeconds"),
            previous=_flag(query, "previous"),
            timestamps=_flag(query, "timestamps"),
            prefix=None if prefix is None else _flag(query, "prefix"),
        )

    def wants_prefix(self, containers: int) -> bool:
        """Whether lines say where they are from, of so many containers."""
        return containers > 1 if self.prefix is None else self.prefix

    def as_query(self, container: str, *, after: bytes = b"") -> dict[str, str]:
        """The query for one container in the terms of Kubernetes.

        `after` is the time of the last line that is known; of its second, what is known comes once more.
        """
        query = {"container": container, "timestamps": "true"}
        if self.follow:
            query["follow"] = "true"
        if self.previous:
            query["previous"] = "true"
        if after:
            return query | {"sinceTime": after.decode()}
        if self.tail is not None:
            query["tailLines"] = str(self.tail)
        if self.since is not None:
            query["sinceSeconds"] = str(max(self.since, 1))
        return query


def _flag(query: Mapping[str, str], name: str) -> bool:
    value = query.get(name, "false")
    if value not in ("true", "false", "1", "0"):
        raise BadRequest(f"{name} is {value!r}, not true or false")
    return value in ("true", "1")


def _number(query: Mapping[str, str], name: str) -> int | None:
    value = query.get(name)
    if value is None:
        return None
    if not value.isascii() or not value.isdigit() or len(value) > 9:
        raise BadRequest(f"{name} is {value!r}, not a number from 0 on")
    return int(value)
