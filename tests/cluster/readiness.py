"""Wait until a cluster can be used, or say at once why it never will be."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable

from tests.cluster.api import AdministratorApi
from tests.cluster.errors import ClusterError
from tests.cluster.processes import is_alive
from tests.cluster.record import Folder, Record

DEADLINE_SECONDS = 120.0
"""Ten times what an idle machine with two cores takes: the machine may be busy."""
POLL_SECONDS = 0.1
LOG_LINES = 8


def wait_for(condition: Callable[[], bool], *, record: Record, what: str) -> None:
    """Poll `condition` until it holds; an API that does not answer yet counts as "not yet".

    Raises ClusterError with the end of the log as soon as a process has died.
    """
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not _holds(condition):
        if dead := dead_components(record):
            raise ClusterError(f"{dead[0]} of cluster {record.name} has ended: {_last_lines(record, dead[0])}")
        if time.monotonic() > deadline:
            late = f"Cluster {record.name} has no {what} after {DEADLINE_SECONDS:.0f} s."
            raise ClusterError(f"{late} The logs are in {Folder.of(record.name).path}")
        time.sleep(POLL_SECONDS)


def dead_components(record: Record) -> list[str]:
    """The components that were started and do not run any more."""
    return [component for component, process in record.processes.items() if not is_alive(process)]


def is_api_ready(api: AdministratorApi) -> bool:
    """Whether the API server has finished its start."""
    return api.get("/readyz")[0] == http.HTTPStatus.OK


def can_run_pods(api: AdministratorApi, nodes: int) -> bool:
    """Whether all nodes are ready and the default service account, which every pod needs, exists."""
    if not api.get_json("/api/v1/namespaces/default/serviceaccounts/default"):
        return False
    conditions = [
        (condition["type"], condition["status"])
        for node in api.get_json("/api/v1/nodes").get("items", [])
        for condition in node["status"].get("conditions", [])
    ]
    return conditions.count(("Ready", "True")) >= nodes


def _holds(condition: Callable[[], bool]) -> bool:
    try:
        return condition()
    except (OSError, http.client.HTTPException):
        return False


def _last_lines(record: Record, component: str) -> str:
    log = Folder.of(record.name).log(component)
    try:
        lines = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
    except FileNotFoundError:
        lines = ["(no output)"]
    return "\n  ".join([str(log), *lines])
