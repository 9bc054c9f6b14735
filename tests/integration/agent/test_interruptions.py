"""What the agent does while one of its two sides is away: nothing is lost, nothing is told twice."""

from __future__ import annotations

from pathlib import Path

from tests.fixtures.api import ApiProcesses
from tests.fixtures.simulated import SimulatedCluster, new_simulated_cluster, new_simulated_process
from tests.integration.agent.conftest import Rig, eventually, running_rig
from tests.integration.agent.test_agent import CONFIG, web
from threeport.bootstrap.local.identities import IdentityFiles
from threeport.resources.model import kind_of
from threeport.resources.workload import WorkloadReport


async def test_what_happened_while_the_api_was_away_is_told_when_it_is_back(
    api_processes: ApiProcesses, simulated_cluster: SimulatedCluster, tmp_path: Path
) -> None:
    api = api_processes(1)[0]
    async with running_rig(api, simulated_cluster, tmp_path) as rig:
        app = rig.deployed()
        app.apply([CONFIG])
        first = await rig.report_when(app.uid, lambda report: report.spec.health == "Healthy")
        api.process.kill()
        app.apply([CONFIG, web()], generation=2, applied_hash="hash-2")
        rig.cluster.wait(lambda: "trying again" in rig.agent.log.read_text())
        api.process.start()
        told = await rig.report_when(
            app.uid, lambda report: report.spec.applied_hash == "hash-2" and report.spec.health == "Healthy", seconds=60
        )
        assert told.metadata.uid == first.metadata.uid


async def test_a_report_of_a_name_that_nobody_reads_goes_when_the_agent_starts(rig: Rig) -> None:
    app = rig.deployed()
    app.apply([CONFIG])
    told = await rig.report_when(app.uid, lambda report: report.spec.health == "Healthy")
    spec = {**told.spec.model_dump(mode="json", by_alias=True, exclude_none=True), "appliedHash": "hash-of-before"}
    former = {"metadata": {"name": f"{app.name}-6f1c2a9e", "namespace": "default"}, "spec": spec}
    await rig.client.create(former, kind_of(WorkloadReport))
    rig.agent.kill()
    rig.agent.start()

    async def only_its_own() -> bool:
        found = await rig.reports(app.uid)
        return [one.metadata.name for one in found] == [told.metadata.name]

    await eventually(only_its_own, about=rig.agent.log_tail)


async def test_the_agent_goes_on_when_its_cluster_is_back(
    api_processes: ApiProcesses, postgres_dsn: str, identity_files: IdentityFiles, tmp_path: Path
) -> None:
    process = new_simulated_process(postgres_dsn, identity_files, tmp_path)
    process.start()
    cluster = new_simulated_cluster(process, identity_files, tmp_path)
    async with running_rig(api_processes(1)[0], cluster, tmp_path) as rig:
        app = rig.deployed()
        app.apply([CONFIG])
        await rig.report_when(app.uid, lambda report: report.spec.health == "Healthy")
        process.kill()
        rig.cluster.wait(lambda: "is interrupted" in rig.agent.log.read_text())
        process.start()
        app.apply([CONFIG, web()], generation=2, applied_hash="hash-2")
        await rig.report_when(
            app.uid, lambda report: report.spec.applied_hash == "hash-2" and report.spec.health == "Healthy", seconds=60
        )
    process.call("DELETE", f"/clusters/{cluster.name}", cluster.token)
    process.stop()
