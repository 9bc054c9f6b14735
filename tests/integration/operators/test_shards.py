"""Several shards of one controller share its objects: no object has two masters, none has none, whatever happens."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.fixtures.api import Api, ApiProcesses
from tests.fixtures.controllers import Agents, ControllerProcess
from tests.fixtures.simulated import SimulatedProcess
from tests.integration.operators.conftest import (
    DEFINITION,
    INSTANCE,
    RUNTIME,
    RUNTIME_DEFINITION,
    WORKLOAD,
    ensure,
)
from threeport.client import Client
from threeport.common.ids import shard_of
from threeport.common.types import JsonObject
from threeport.controller.conditions import is_ready

CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"colour": "red"}}
RUNTIME_NAME = "shared"

_APPLIED = re.compile(r"WorkloadInstance default/(\S+): applied (\d+) of")
_EPOCH = re.compile(r"Controller workload holds shard (\d) of (\d)")


@dataclass
class Shards:
    """A control plane on which tests start shards of the workload controller as they like."""

    client: Client
    start: Callable[[int, int], ControllerProcess]
    """Starts the process of shard `index` of `count`."""

    async def deploy(self, *names: str) -> None:
        """Creates Workloads."""
        for name in names:
            spec = {"manifests": [CONFIG], "runtimeRef": {"name": RUNTIME_NAME}}
            await self.client.create({"metadata": {"name": name, "namespace": "default"}, "spec": spec}, WORKLOAD)

    async def instances(self) -> dict[str, JsonObject]:
        """The instances by name."""
        return {one["metadata"]["name"]: one for one in (await self.client.list(INSTANCE)).items}

    async def all_ready(self, names: Sequence[str], *, seconds: float = 120) -> None:
        """Waits until these Workloads are Ready."""

        async def look() -> bool:
            found = {one["metadata"]["name"]: is_ready(one) for one in (await self.client.list(WORKLOAD)).items}
            return all(found.get(name) for name in names)

        await eventually(look, seconds=seconds)

    async def uids(self, names: Sequence[str], *, seconds: float = 30) -> dict[str, str]:
        """Waits until there are instances of these names; their uids."""

        async def look() -> bool:
            return set(names) <= set(await self.instances())

        await eventually(look, seconds=seconds)
        return {name: one["metadata"]["uid"] for name, one in (await self.instances()).items() if name in names}


async def eventually(look: Callable[[], Awaitable[bool]], *, seconds: float) -> None:
    """Returns when `look` is true."""
    async with asyncio.timeout(seconds):
        while not await look():
            await asyncio.sleep(0.1)


def appliers(*processes: ControllerProcess) -> dict[str, list[ControllerProcess]]:
    """Which processes have put which instance into the cluster: once for each time that something was applied."""
    found: dict[str, list[ControllerProcess]] = {}
    for process in processes:
        for name, count in _APPLIED.findall(process.log.read_text()):
            found.setdefault(name, []).extend([process] * (int(count) > 0))
    return found


def works(process: ControllerProcess) -> bool:
    """Whether the process has got its lease."""
    return bool(_EPOCH.search(process.log.read_text()))


@pytest.fixture
def base(
    api_processes: ApiProcesses, simulated_process: SimulatedProcess, tmp_path: Path
) -> Iterator[tuple[Api, Callable[[int, int], ControllerProcess]]]:
    """An API, the controller of runtimes with its agents, and what starts shards."""
    api = api_processes(1)[0]
    settings = {
        "THREEPORT_SIMULATED_URL": simulated_process.url,
        "THREEPORT_SIMULATED_TOKEN_FILE": str(simulated_process.directory / "token"),
        "THREEPORT_AGENT_DIR": str(tmp_path / "agents"),
    }
    with ExitStack() as stack:
        runtimes = ControllerProcess(tmp_path / "runtimes", api, ("kubernetes-runtime",), settings)
        runtimes.start()
        stack.callback(runtimes.stop)
        agents = Agents(tmp_path / "agents")
        agents.start()
        stack.callback(agents.stop)

        def start(index: int, count: int) -> ControllerProcess:
            shard = {"THREEPORT_SHARD": str(index), "THREEPORT_SHARDS": str(count)}
            directory = tmp_path / f"workload-{index}-of-{count}-{uuid.uuid4().hex[:6]}"
            made = ControllerProcess(directory, api, ("workload",), shard)
            made.start()
            stack.callback(made.stop)
            return made

        yield api, start


@pytest.fixture
async def shards(
    base: tuple[Api, Callable[[int, int], ControllerProcess]], simulated_process: SimulatedProcess
) -> AsyncIterator[Shards]:
    """The same with a simulated runtime, whose cluster goes with the test and all that it left there."""
    api, start = base
    async with Client(api.admin) as client:
        await ensure(client, RUNTIME_DEFINITION, "simulated", {"infraProvider": "simulated"})
        await ensure(client, RUNTIME, RUNTIME_NAME, {"definitionRef": {"name": "simulated"}})
        yield Shards(client, start)
        endpoint = (await client.get(RUNTIME, RUNTIME_NAME))["spec"]["endpoint"]
        token = (simulated_process.directory / "token").read_text()
        simulated_process.call("DELETE", urlsplit(endpoint).path, token)


async def test_two_shards_share_the_objects_without_overlap_or_gap(shards: Shards) -> None:
    names = [f"app-{number}" for number in range(12)]
    pair = [shards.start(0, 2), shards.start(1, 2)]
    await shards.deploy(*names)
    await shards.all_ready(names)
    uids = await shards.uids(names)
    assert {shard_of(uid, 2) for uid in uids.values()} == {0, 1}, "else this test shows nothing"
    assert appliers(*pair) == {name: [pair[shard_of(uid, 2)]] for name, uid in uids.items()}
    for name in names:
        await shards.client.delete(WORKLOAD, name, "default")

    async def is_empty() -> bool:
        return not (await shards.client.list(WORKLOAD)).items and not await shards.instances()

    await eventually(is_empty, seconds=60)


async def test_a_shard_that_is_killed_keeps_its_objects_and_its_successor_misses_none(shards: Shards) -> None:
    first, doomed = shards.start(0, 2), shards.start(1, 2)
    before = [f"before-{number}" for number in range(8)]
    await shards.deploy(*before)
    await shards.all_ready(before)
    doomed.kill()
    instances = [f"during-{number}" for number in range(12)]
    definition = {"metadata": {"name": "plain", "namespace": "default"}, "spec": {"manifests": [CONFIG]}}
    await shards.client.create(definition, DEFINITION)
    for name in instances:
        spec = {"definitionRef": {"name": "plain"}, "runtimeRef": {"name": RUNTIME_NAME}}
        await shards.client.create({"metadata": {"name": name, "namespace": "default"}, "spec": spec}, INSTANCE)
    uids = await shards.uids(instances)
    of_first = {name for name, uid in uids.items() if shard_of(uid, 2) == 0}
    assert 0 < len(of_first) < len(instances), "else this test shows nothing"

    async def living_shard_is_done() -> bool:
        return {name for name, one in (await shards.instances()).items() if is_ready(one)} >= of_first

    await eventually(living_shard_is_done, seconds=60)
    assert not (set(instances) - of_first) & set(appliers(first)), "no shard takes what is another's"
    successor = shards.start(1, 2)

    async def all_are_done() -> bool:
        return all(is_ready(one) for one in (await shards.instances()).values())

    await eventually(all_are_done, seconds=60)
    applied = appliers(first, doomed, successor)
    assert {name: len(by) for name, by in applied.items() if by} == dict.fromkeys([*before, *instances], 1)


async def test_when_the_number_of_shards_changes_no_object_has_two_masters_and_none_is_forgotten(
    shards: Shards,
) -> None:
    alone = shards.start(0, 1)
    before = [f"before-{number}" for number in range(6)]
    await shards.deploy(*before)
    await shards.all_ready(before)
    pair = [shards.start(0, 2), shards.start(1, 2)]

    async def both_wait() -> bool:
        return all("Waiting for the lease" in one.log.read_text() for one in pair)

    await eventually(both_wait, seconds=30)
    meanwhile = [f"meanwhile-{number}" for number in range(6)]
    await shards.deploy(*meanwhile)
    await shards.all_ready(meanwhile)
    assert not any(works(one) for one in pair), "the old count is at work as long as its process lives"
    alone.stop()
    after = [f"after-{number}" for number in range(6)]
    await shards.deploy(*after)
    await shards.all_ready(after, seconds=90)
    assert all(works(one) for one in pair)
    uids = await shards.uids([*before, *meanwhile, *after])
    applied = appliers(alone, *pair)
    expected = {name: [alone] for name in (*before, *meanwhile)}
    expected |= {name: [pair[shard_of(uids[name], 2)]] for name in after}
    assert {name: by for name, by in applied.items() if by} == expected
