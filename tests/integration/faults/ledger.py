"""A client that writes all the time and notes what was acknowledged: all of that must be there afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

from threeport.client import Client
from threeport.common.errors import ApiError
from threeport.resources.core import Namespace
from threeport.resources.model import kind_of

KIND = kind_of(Namespace)
LABEL = "ledger"
PAUSE = 0.02
"""Seconds between writes."""

Entry: TypeAlias = str | None
"""The label that an object has; None if it does not exist."""


class Ledger:
    """Objects that are created, changed, and, each third, deleted; `possible` is what each may be now."""

    def __init__(self, client: Client, prefix: str) -> None:
        self._client, self._prefix = client, prefix
        self._possible: dict[str, set[Entry]] = {}
        self.acknowledged = 0

    @asynccontextmanager
    async def being_kept(self) -> AsyncIterator[None]:
        """Writes for as long as the block runs."""
        writing = asyncio.create_task(self._write(), name="ledger")
        try:
            yield
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)

    async def lost(self) -> list[str]:
        """What is not as it was acknowledged; then deletes the rest."""
        wrong = []
        listed = [one["metadata"] for one in (await self._client.list(KIND)).items]
        # Like in Kubernetes the end of a namespace comes some time after its deletion was acknowledged.
        found = {metadata["name"]: metadata for metadata in listed if not metadata.get("deletionTimestamp")}
        for name, possible in self._possible.items():
            state = found[name]["labels"][LABEL] if name in found else None
            if state not in possible:
                wrong.append(f"{name} is {state}, not one of {possible}")
            if name in found:
                await self._client.delete(KIND, name)
        return wrong

    async def _write(self) -> None:
        number = 0
        while True:
            await self._live_of(f"{self._prefix}-{number}", deleted=number % 3 == 2)
            number += 1

    async def _live_of(self, name: str, *, deleted: bool) -> None:
        body = {"metadata": {"name": name, "labels": {LABEL: "made"}}}
        steps: list[tuple[Entry, object]] = [
            ("made", lambda: self._client.create(body, KIND)),
            ("changed", lambda: self._client.patch(KIND, name, None, {"metadata": {"labels": {LABEL: "changed"}}})),
        ]
        if deleted:
            steps.append((None, lambda: self._client.delete(KIND, name)))
        self._possible[name] = {None}
        for after, write in steps:
            before = set(self._possible[name])
            self._possible[name] |= {after}
            try:
                await write()  # type: ignore[operator]
            except ApiError:
                # It may have happened or not; what comes next could only say less.
                self._possible[name] = before | {after}
                return
            self._possible[name] = {after}
            self.acknowledged += 1
            await asyncio.sleep(PAUSE)
