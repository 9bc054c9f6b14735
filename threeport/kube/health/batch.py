"""Work that ends: Job and CronJob."""

from __future__ import annotations

from typing import Final

from threeport.common.types import FrozenJson
from threeport.kube.health.fields import condition, items, number, part
from threeport.kube.health.verdict import HEALTHY, Verdict, sentence

COMPLETED: Final = "completed"
SUSPENDED: Final = "suspended"


def assess_job(obj: FrozenJson) -> Verdict:
    """Healthy when completed (or suspended, as its spec wants), Down when it has given up."""
    failed = condition(obj, "Failed")
    if failed.get("status") == "True":
        return Verdict("Down", sentence(str(failed.get("reason") or "Failed"), str(failed.get("message") or "")))
    if condition(obj, "Complete").get("status") == "True":
        return Verdict("Healthy", COMPLETED)
    if part(obj, "spec").get("suspend"):
        return Verdict("Healthy", SUSPENDED)
    # Several pods without a number of completions share out the work: they know themselves when all of it is done.
    shared = number(obj, "spec", "parallelism", default=1) > 1
    wanted = number(obj, "spec", "completions", default=0 if shared else 1)
    of_them = f" of {wanted}" if wanted else ""
    failures = number(obj, "status", "failed")
    tried = f", {failures} attempts failed" if failures else ""
    return Verdict("Progressing", f"{number(obj, 'status', 'succeeded')}{of_them} runs have completed{tried}")


def last_word_of(obj: FrozenJson) -> Verdict:
    """What is left to say of a Job that is gone, by what it was at last: how it ended, or that it did not."""
    verdict = assess_job(obj)
    if has_ended(verdict):
        return verdict
    return Verdict("Down", "was deleted before it had ended; it runs again when its manifest changes")


def has_ended(verdict: Verdict) -> bool:
    """Whether this is the verdict of a Job that will not run any more."""
    return verdict.health == "Down" or verdict == Verdict("Healthy", COMPLETED)


def assess_cron_job(obj: FrozenJson) -> Verdict:
    """Healthy, unless its last run has ended otherwise than well: the Jobs themselves bear another's labels."""
    if part(obj, "spec").get("suspend"):
        return Verdict("Healthy", SUSPENDED)
    last = str(part(obj, "status").get("lastScheduleTime") or "")
    success = str(part(obj, "status").get("lastSuccessfulTime") or "")
    if last > success and not items(obj, "status", "active"):
        return Verdict("Degraded", f"the run of {last} has not succeeded")
    return HEALTHY
