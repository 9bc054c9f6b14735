"""What each identity may do, and what its refusals tell."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threeport.apiserver import identities
from threeport.apiserver.authorization import AGENT_TOKEN, HEARTBEATS, REPORTS, RUNTIMES, decide
from threeport.common.errors import Forbidden, NotFound
from threeport.krm.interfaces import Action, Identity, LabelRequirement, Verb
from threeport.kube.labels import RUNTIME_LABEL
from threeport.resources import load_catalog
from threeport.resources.kind import Kind

CATALOG = load_catalog()
VERBS: tuple[Verb, ...] = get_args(Verb)
AGENT = identities.agent("paris")
CONTROLLER = identities.controller("workload")
INSTALLER = identities.controller("kubernetes-runtime")
NOBODY = (
    Identity("admin"),
    Identity("controller:workload"),
    Identity("agent:paris"),
    Identity("agent:paris", ("threeport:controllers",)),
    Identity("controller:", ("threeport:controllers",)),
    Identity("agent:", ("threeport:agents",)),
    Identity("someone", ("system:masters",)),
    Identity("viewer:ann"),
    Identity("ann", ("threeport:viewers",)),
    Identity("viewer:", ("threeport:viewers",)),
)


def kind(resource: str) -> Kind:
    found = CATALOG.by_resource(resource)
    assert found
    return found


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("resource", [each.resource for each in CATALOG])
def test_a_viewer_reads_every_kind_and_does_nothing_else(resource: str, verb: Verb) -> None:
    viewer = identities.viewer("ann")
    refused = decide(viewer, Action(verb, kind(resource), "default", "x"), None)
    assert (refused is None) == (verb in ("get", "list", "watch"))
    for subresource in ("pods", "log", "portforward", AGENT_TOKEN):
        assert decide(viewer, Action(verb, kind(resource), "default", "x", subresource=subresource), None) is not None


def report(runtime: Any) -> dict[str, Any]:
    return {"metadata": {"name": "r"}, "spec": {"runtimeRef": {"name": runtime}}}


def on_reports(verb: Verb, *, labels: tuple[LabelRequirement, ...] = ()) -> Action:
    return Action(verb, kind(REPORTS), "default", "r", labels=labels)


def selects(runtime: str) -> LabelRequirement:
    return (RUNTIME_LABEL, "in", frozenset({runtime}))


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("resource", [each.resource for each in CATALOG])
def test_an_admin_may_do_everything(resource: str, verb: Verb) -> None:
    assert decide(identities.admin(), Action(verb, kind(resource), "default", "x"), None) is None


@pytest.mark.parametrize("nobody", NOBODY)
@pytest.mark.parametrize("verb", VERBS)
def test_a_name_without_its_group_or_a_group_without_its_name_may_do_nothing(nobody: Identity, verb: Verb) -> None:
    for each in CATALOG:
        assert isinstance(decide(nobody, Action(verb, each, "default", "x"), report("paris")), Forbidden)


@pytest.mark.parametrize("verb", VERBS)
def test_a_controller_may_do_everything_in_the_group_of_threeport(verb: Verb) -> None:
    assert decide(CONTROLLER, Action(verb, kind("workloads.threeport.io"), "default", "x"), None) is None


def test_a_controller_writes_events_and_only_reads_namespaces() -> None:
    allowed = {verb for verb in VERBS if decide(CONTROLLER, Action(verb, kind("namespaces"), "", "x"), None) is None}
    assert allowed == {"get", "list", "watch"}
    assert decide(CONTROLLER, Action("create", kind("events"), "default", "x"), None) is None


def test_only_the_controller_that_installs_agents_gets_their_tokens() -> None:
    action = Action("create", kind(RUNTIMES), "", "paris", AGENT_TOKEN)
    assert decide(INSTALLER, action, None) is None
    assert isinstance(decide(CONTROLLER, action, None), Forbidden)
    assert isinstance(decide(AGENT, action, None), Forbidden)


@pytest.mark.parametrize("verb", ["get", "create", "update", "patch", "delete"])
def test_an_agent_may_handle_the_reports_of_its_own_runtime(verb: Verb) -> None:
    assert decide(AGENT, on_reports(verb), None) is None
    assert decide(AGENT, on_reports(verb), report("paris")) is None


@pytest.mark.parametrize("verb", ["get", "update", "patch", "delete"])
def test_reports_of_others_do_not_exist_for_an_agent(verb: Verb) -> None:
    refused = decide(AGENT, on_reports(verb), report("rome"))
    assert isinstance(refused, NotFound)
    assert "rome" not in refused.message


def test_an_agent_creates_no_report_of_another_runtime() -> None:
    assert isinstance(decide(AGENT, on_reports("create"), report("rome")), Forbidden)


@pytest.mark.parametrize("verb", ["list", "watch"])
def test_an_agent_lists_only_by_the_label_of_its_runtime(verb: Verb) -> None:
    assert decide(AGENT, on_reports(verb, labels=(selects("paris"),)), None) is None
    both: LabelRequirement = (RUNTIME_LABEL, "in", frozenset({"paris", "rome"}))
    for labels in ((), (selects("rome"),), (both,), ((RUNTIME_LABEL, "exists", frozenset()),)):
        assert isinstance(decide(AGENT, on_reports(verb, labels=labels), None), Forbidden)


def test_an_agent_reads_its_own_runtime_and_reveals_nothing() -> None:
    assert decide(AGENT, Action("get", kind(RUNTIMES), "", "paris"), None) is None
    for verb in set(VERBS) - {"get"}:
        assert isinstance(decide(AGENT, Action(verb, kind(RUNTIMES), "", "paris"), None), Forbidden)
    assert isinstance(decide(AGENT, Action("get", kind(RUNTIMES), "", "rome"), None), Forbidden)


def test_an_agent_gives_signs_of_life_of_its_own_runtime_only() -> None:
    for verb in ("get", "create", "update", "patch"):
        assert decide(AGENT, Action(verb, kind(HEARTBEATS), "", "paris"), None) is None
        assert isinstance(decide(AGENT, Action(verb, kind(HEARTBEATS), "", "rome"), None), Forbidden)
    for verb in set(VERBS) - {"get", "create", "update", "patch"}:
        assert isinstance(decide(AGENT, Action(verb, kind(HEARTBEATS), "", "paris"), None), Forbidden)


@given(
    st.sampled_from(VERBS),
    st.sampled_from([each.resource for each in CATALOG]),
    st.sampled_from(["paris", "rome", ""]),
    st.sampled_from(["", "status", AGENT_TOKEN]),
    st.sampled_from([None, report("rome"), report(None), {"spec": None}, {}]),
)
def test_an_agent_gets_nothing_but_its_reports_and_its_runtime(
    verb: Verb, resource: str, name: str, subresource: str, obj: dict[str, Any] | None
) -> None:
    action = Action(verb, kind(resource), "default", name, subresource, (selects("paris"),))
    if decide(AGENT, action, obj) is None:
        assert not subresource
        assert (resource == REPORTS and (obj is None or verb in ("list", "watch"))) or (
            (resource == RUNTIMES and name == "paris" and verb == "get")
            or (resource == HEARTBEATS and name == "paris" and verb in ("get", "create", "update", "patch"))
        )


def test_whether_a_name_exists_makes_no_difference_to_a_refusal() -> None:
    action = Action("get", kind("workloads.threeport.io"), "default", "x")
    without, with_object = decide(AGENT, action, None), decide(AGENT, action, {"metadata": {"name": "x"}})
    assert without
    assert with_object
    assert without.as_status() == with_object.as_status()
