"""Two agents of one runtime, with the same credentials: the second was started by hand, or a former one lives on."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from tests.fixtures.running import running
from tests.integration.agent.conftest import AgentProcess, Rig
from tests.integration.agent.test_agent import CONFIG, web
from threeport.resources.workload import WorkloadReport


async def at_rest(rig: Rig, uid: str, *, seconds: float = 5) -> WorkloadReport:
    """The report, when it has stayed as it is for a while; fails if it goes on changing."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + 60
    seen, since = (await rig.reports(uid))[0], clock()
    while clock() - since < seconds:
        assert clock() < deadline, f"it goes on changing: {seen.spec}"
        await asyncio.sleep(0.1)
        now = (await rig.reports(uid))[0]
        if now.metadata.resource_version != seen.metadata.resource_version:
            seen, since = now, clock()
    return seen


async def test_two_agents_of_one_runtime_say_the_same_and_come_to_rest(rig: Rig, tmp_path: Path) -> None:
    app = rig.deployed()
    app.apply([CONFIG, web()])
    await rig.report_when(app.uid, lambda report: report.spec.health == "Healthy")
    second = AgentProcess(tmp_path / "second", json.loads((rig.agent.directory / "config.json").read_text()))
    with running(second):
        for generation in range(2, 8):
            is_well = generation % 2 == 1
            image = "nginx:1.27" if is_well else "registry.invalid/web:1"
            app.apply([CONFIG, web(image=image)], generation=generation, applied_hash=f"hash-{generation}")
            settled = await at_rest(rig, app.uid)
            assert settled.spec.applied_hash == f"hash-{generation}"
            assert (settled.spec.health == "Healthy") == is_well, settled.spec.message
    assert "Reported" in second.log.read_text(), "else this test shows nothing"
