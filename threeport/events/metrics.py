"""What can be measured of events: where they come from, how late, and what hinders them."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

EVENTS = Counter("threeport_events", "Changes that were news to the hub, by the way they came", ["source"])
LAG = Histogram(
    "threeport_event_lag_seconds",
    "From the stamp of a change to its arrival in the hub",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
WATCHES = Gauge("threeport_watches", "Open watches")
OUTBOX_AGE = Gauge("threeport_outbox_oldest_seconds", "Age of the oldest change that JetStream has not acknowledged")
RELAY_FAILURES = Counter("threeport_relay_failures", "Changes that could not be published at the first attempt")
