"""WorkloadReports in the Threeport API: their names and labels, reading, writing and deleting them."""

from __future__ import annotations

from typing import Final

from agent.reporting.told import Told, told_of
from threeport.client import Client
from threeport.common.errors import NotFound
from threeport.kube.labels import INSTANCE_LABEL, RUNTIME_LABEL, selector_of
from threeport.resources.model import ObjectMeta
from threeport.resources.workload import WorkloadReport, WorkloadReportSpec, report_name

FIELD_MANAGER: Final = "threeport-agent"


class Reports:
    """The reports of one runtime."""

    def __init__(self, client: Client, runtime: str) -> None:
        self._client = client
        self._runtime = runtime

    async def read_all(self) -> dict[str, tuple[str, str, Told]]:
        """What was told so far: namespace, name and content of the report by the uid of its instance.

        Those of other names, as agents of before gave them, are deleted: they would be taken for news.
        """
        listed = await self._client.list(WorkloadReport, label_selector=selector_of(self._runtime))
        found: dict[str, tuple[str, str, Told]] = {}
        for report in listed.items:
            namespace, name, spec = report.metadata.namespace or "", report.metadata.name, report.spec
            if name == report_name(spec.instance_ref.name, spec.instance_uid, self._runtime):
                found[spec.instance_uid] = (namespace, name, told_of(spec))
            else:
                await self.delete(namespace, name)
        return found

    async def write(self, spec: WorkloadReportSpec) -> None:
        """Creates or changes the report of an instance."""
        report = WorkloadReport(
            metadata=ObjectMeta(
                name=report_name(spec.instance_ref.name, spec.instance_uid, self._runtime),
                namespace=spec.instance_ref.namespace,
                labels={RUNTIME_LABEL: self._runtime, INSTANCE_LABEL: spec.instance_uid},
            ),
            spec=spec,
        )
        await self._client.apply(report, field_manager=FIELD_MANAGER, force=True, strict=False)

    async def delete(self, namespace: str, name: str) -> None:
        """Deletes a report; one that is gone already is no error."""
        try:
            await self._client.delete(WorkloadReport, name, namespace)
        except NotFound:
            pass
