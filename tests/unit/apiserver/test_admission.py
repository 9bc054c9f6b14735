"""Steps of admission that need nothing but the object."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, Literal

import pytest

from threeport.apiserver import identities
from threeport.apiserver.admission.manifests import ManifestAdmitter
from threeport.apiserver.admission.namespaces import NamespaceAdmitter
from threeport.apiserver.admission.reports import ReportAdmitter
from threeport.apiserver.admission.revisions import REVISIONS, RevisionAdmitter
from threeport.apiserver.authorization import REPORTS
from threeport.common.errors import Forbidden, Invalid, NotFound
from threeport.krm.interfaces import Admission, Caller, Identity
from threeport.kube.labels import RUNTIME_LABEL
from threeport.resources import load_catalog
from threeport.resources.workload import report_name
from threeport.store.records import Key

CATALOG = load_catalog()


def admission(
    resource: str,
    new: dict[str, Any] | None,
    old: dict[str, Any] | None = None,
    *,
    identity: Identity | None = None,
    name: str = "x",
) -> Admission:
    kind = CATALOG.by_resource(resource)
    assert kind
    operation: Literal["CREATE", "UPDATE", "DELETE"] = "DELETE" if new is None else "UPDATE" if old else "CREATE"
    caller = Caller(identity or identities.admin())
    return Admission(caller, kind, Key(resource, "default", name), operation, new, old)


def report(runtime: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": "x", "labels": labels}, "spec": {"runtimeRef": {"name": runtime}}}


async def test_text_becomes_objects() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: b}"
    step = admission("workloads.threeport.io", {"metadata": {}, "spec": {"manifests": [text]}})
    await ManifestAdmitter().admit(step)
    assert step.new
    assert [manifest["kind"] for manifest in step.new["spec"]["manifests"]] == ["ConfigMap", "Pod"]


async def test_bad_text_is_refused_with_object_document_and_line_and_without_its_values() -> None:
    canary = "c4n4ry"
    text = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\nstringData:\n  k: '{canary}\n"
    with pytest.raises(Invalid) as refused:
        await ManifestAdmitter().admit(
            admission("workloads.threeport.io", {"metadata": {}, "spec": {"manifests": [text]}}, name="shop")
        )
    assert 'Workload "shop"' in refused.value.message
    assert "line" in refused.value.message
    assert canary not in str(refused.value.as_status())


async def test_a_report_gets_the_label_of_its_runtime() -> None:
    step = admission(REPORTS, report("paris"))
    await ReportAdmitter().admit(step)
    assert step.new
    assert step.new["metadata"]["labels"] == {RUNTIME_LABEL: "paris"}


async def test_an_agent_gives_its_report_the_name_of_its_instance_and_runtime() -> None:
    new = {"metadata": {}, "spec": {"instanceRef": {"name": "i"}, "instanceUid": "u", "runtimeRef": {"name": "paris"}}}
    for name, fits in ((report_name("i", "u", "paris"), True), (report_name("i", "u", "rome"), False), ("", False)):
        step = admission(REPORTS, new, identity=identities.agent("paris"), name=name)
        refused = pytest.raises(Invalid, match=report_name("i", "u", "paris"))
        with nullcontext() if fits else refused:
            await ReportAdmitter().admit(step)


async def test_a_report_whose_label_says_otherwise_is_refused() -> None:
    with pytest.raises(Invalid, match="paris"):
        await ReportAdmitter().admit(admission(REPORTS, report("paris", **{RUNTIME_LABEL: "rome"})))


async def test_nobody_moves_a_report_to_another_runtime() -> None:
    with pytest.raises(Invalid, match="cannot change"):
        await ReportAdmitter().admit(admission(REPORTS, report("paris"), report("rome")))


async def test_an_agent_cannot_replace_or_delete_the_report_of_another_even_if_it_was_let_in_before() -> None:
    for new in (report("paris"), None):
        with pytest.raises(NotFound):
            await ReportAdmitter().admit(admission(REPORTS, new, report("rome"), identity=identities.agent("paris")))


async def test_the_default_namespace_stays() -> None:
    with pytest.raises(Forbidden, match="cannot be deleted"):
        await NamespaceAdmitter().admit(admission("namespaces", None, {}, name="default"))
    await NamespaceAdmitter().admit(admission("namespaces", None, {}, name="other"))


async def test_a_revision_keeps_its_spec_for_ever() -> None:
    old = {"metadata": {"name": "x"}, "spec": {"revision": 1, "manifests": [{"kind": "ConfigMap"}]}}
    relabelled = {**old, "metadata": {"name": "x", "labels": {"a": "b"}}}
    await RevisionAdmitter().admit(admission(REVISIONS, relabelled, old))
    await RevisionAdmitter().admit(admission(REVISIONS, None, old))
    changed = {**old, "spec": {**old["spec"], "revision": 2}}
    with pytest.raises(Invalid, match="makes a new revision"):
        await RevisionAdmitter().admit(admission(REVISIONS, changed, old))
