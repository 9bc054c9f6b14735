"""What can be measured of the agent. Memory and CPU time come with prometheus_client (``process_*``)."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge

INSTANCES: Final = Gauge("threeport_agent_instances", "WorkloadInstances that are in this cluster")
OBJECTS: Final = Gauge("threeport_agent_objects", "Objects of theirs that are known, pods included")
PENDING: Final = Gauge("threeport_agent_pending_reports", "Instances whose report is due, or being written")
WRITES: Final = Counter("threeport_agent_writes", "Attempts to write to the Threeport API", ["kind", "result"])
INTERRUPTIONS: Final = Counter("threeport_agent_watch_interruptions", "Watches that had to be taken up again")
