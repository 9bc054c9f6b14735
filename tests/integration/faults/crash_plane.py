"""A control plane with one controller that crashes when told to, and is started again as if nobody had waited."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import psycopg
import pytest

from tests.fixtures.api import Api
from tests.fixtures.control_plane import until
from tests.integration.faults.crashing import CrashingController
from threeport.client import Client

UNDISTURBED = 10**6
"""A number of writes that nothing comes to."""

MOST_WRITES = 60
"""No creation, change or deletion in these tests takes more writes."""


@dataclass
class Plane:
    """The API, and the controller that crashes."""

    api: Api
    client: Client
    controller: CrashingController
    dsn: str
    name: str
    """Of the controller."""

    def start_again(self) -> None:
        """Starts the controller that has died, as if the time of its lease had passed."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(
                f"UPDATE {self.api.schema}.leases SET expires = clock_timestamp() WHERE name LIKE %s".encode(),
                [f"%{self.name}%"],
            )
        self.controller.start()

    async def crashes_or(self, done: Callable[[], Awaitable[bool]]) -> bool:
        """Waits until the controller has died or all is done. Whether it died; it runs again then, and will not die."""

        async def look() -> bool:
            return not self.controller.alive or await done()

        await until(look, seconds=60, why=lambda: f"log: {self.controller.log}")
        died = not self.controller.live()
        if died:
            self.start_again()
        return died


def every_write(step: int = 1) -> list[int]:
    """After how many writes to crash, one life each: never in the first, which shows how it ends undisturbed."""
    return [UNDISTURBED, *range(1, MOST_WRITES, step)]


async def comes_to(look: Callable[[], Awaitable[dict[str, object]]], wanted: dict[str, object], what: str) -> None:
    """Waits until the picture that `look` takes is as wanted; fails with the differences."""
    pictures: list[dict[str, object]] = [{}]

    async def is_so() -> bool:
        pictures.append(await look())
        return pictures[-1] == wanted

    try:
        await until(is_so, seconds=30)
    except pytest.fail.Exception:
        more = [f"+ {name}: {value}" for name, value in pictures[-1].items() if wanted.get(name) != value]
        less = [f"- {name}: {value}" for name, value in wanted.items() if pictures[-1].get(name) != value]
        pytest.fail(f"{what}\n" + "\n".join([*more, *less]))
