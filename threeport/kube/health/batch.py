"""Work that ends: Job and CronJob."""

from __future__ import annotations

from threeport.common.types import FrozenJson
from threeport.kube.health.fields import condition, items, number, part
from threeport.kube.health.verdict import HEALTHY, Verdict, sentence


def assess_job(obj: FrozenJson) -> Verdict:
    """Healthy when completed (or suspended, as its spec wants), Down when it has given up."""
    failed = condition(obj, "Failed")
    if failed.get("status") == "True":
        return Verdict("Down", sentence(str(failed.get("reason") or "Failed"), str(failed.get("message") or "")))
    if condition(obj, "Complete").get("status") == "True":
        return Verdict("Healthy", "completed")
    if part(obj, "spec").get("suspend"):
        return Verdict("Healthy", "suspended")
    wanted = number(obj, "spec", "completions", default=1)
    failures = number(obj, "status", "failed")
    tried = f", {failures} attempts failed" if failures else ""
    return Verdict("Progressing", f"{number(obj, 'status', 'succeeded')} of {wanted} runs have completed{tried}")


def assess_cron_job(obj: FrozenJson) -> Verdict:
    """Healthy, unless its last run has ended otherwise than well: the Jobs themselves bear another's labels."""
    if part(obj, "spec").get("suspend"):
        return Verdict("Healthy", "suspended")
    last = str(part(obj, "status").get("lastScheduleTime") or "")
    success = str(part(obj, "status").get("lastSuccessfulTime") or "")
    if last > success and not items(obj, "status", "active"):
        return Verdict("Degraded", f"the run of {last} has not succeeded")
    return HEALTHY
