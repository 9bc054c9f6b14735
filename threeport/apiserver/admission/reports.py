"""Reports of agents: their label and their name say whose they are, for as long as they live."""

from __future__ import annotations

from threeport.apiserver import identities
from threeport.apiserver.admission.fields import text_at
from threeport.apiserver.authorization import REPORTS, decide
from threeport.common.errors import Cause, Invalid
from threeport.krm.interfaces import Action, Admission, Verb
from threeport.kube.labels import RUNTIME_LABEL
from threeport.resources.workload import report_name

_VERBS: dict[str, Verb] = {"CREATE": "create", "UPDATE": "update", "DELETE": "delete"}


class ReportAdmitter:
    """Binds a WorkloadReport to its runtime. Implements `Admitter`.

    The authorizer has looked at the report before; here the decision is made again for the very version that the
    write replaces, so that nothing can slip in between.
    """

    async def admit(self, admission: Admission) -> None:
        """Sets the label. Raises `Invalid` if it says otherwise, if the report changes its runtime, or if an agent
        gives it another name than its instance and runtime have: under that, another agent has to write its own."""
        if admission.kind.resource != REPORTS:
            return
        action = Action(_VERBS[admission.operation], admission.kind, admission.key.namespace, admission.key.name)
        for obj in (admission.old, admission.new):
            refused = decide(admission.caller.identity, action, obj)
            if refused is not None:
                raise refused
        if admission.new is not None:
            _bind(admission)
            if identities.runtime_of(admission.caller.identity) is not None:
                _expect_its_name(admission)


def _bind(admission: Admission) -> None:
    new = admission.new or {}
    runtime = text_at(new, "spec", "runtimeRef", "name")
    before = text_at(admission.old, "spec", "runtimeRef", "name")
    if before and before != runtime:
        raise _invalid(admission, "spec.runtimeRef.name", f"cannot change from {before!r}: write another report")
    labels = new["metadata"].setdefault("labels", {})
    if labels.setdefault(RUNTIME_LABEL, runtime) != runtime:
        field = f"metadata.labels[{RUNTIME_LABEL}]"
        raise _invalid(admission, field, f"has to be spec.runtimeRef.name, {runtime!r}: leave it out and it is set")


def _expect_its_name(admission: Admission) -> None:
    """Read from the report itself: whatever it says of instance and uid, the name of another runtime's does not fit."""
    instance, uid, runtime = (
        text_at(admission.new, "spec", *path)
        for path in (("instanceRef", "name"), ("instanceUid",), ("runtimeRef", "name"))
    )
    name = report_name(instance, uid, runtime)
    if admission.key.name != name:
        raise _invalid(admission, "metadata.name", f"has to be {name!r}, which is of this instance and this runtime")


def _invalid(admission: Admission, field: str, message: str) -> Invalid:
    return Invalid(
        f'{admission.kind.kind} "{admission.key.name}" is invalid: {field} {message}.',
        kind=admission.kind.kind,
        name=admission.key.name,
        causes=[Cause(field, message)],
    )
