"""What is said of objects that are waited for: each of a few, a count of many."""

from __future__ import annotations

from threeport.cli.ordering import Target
from threeport.cli.tally import FEW, STEPS, Tally, listed
from threeport.resources import load_catalog

WORKLOAD = load_catalog().by_word("workload")


def targets(number: int) -> list[Target]:
    assert WORKLOAD is not None
    return [Target(WORKLOAD, {"metadata": {"name": f"w{index}", "namespace": "default"}}) for index in range(number)]


def said_of(number: int) -> list[str]:
    """What is said while so many objects wait for something and then come, one after the other."""
    said: list[str] = []
    tally = Tally(said.append, number, "gone")
    for target in targets(number):
        tally.say_of(target)(f"Waiting for {target}: held")
    for target in targets(number):
        tally.is_done(target)
    return said


def test_of_a_few_each_is_told() -> None:
    assert said_of(2) == ["Waiting for workload/w0: held", "Waiting for workload/w1: held"]
    assert listed(targets(2)) == "workload/w0, workload/w1"


def test_of_many_a_count_is_told_now_and_then_with_one_that_waits() -> None:
    said = said_of(300)
    assert len(said) == STEPS + 1
    assert said[0] == "0 of 300 are gone. Waiting for workload/w0: held"
    assert said[1] == "30 of 300 are gone. Waiting for workload/w30: held"
    assert said[-1] == "300 of 300 are gone"
    assert listed(targets(300)) == "300 objects"


def test_just_too_many_to_tell_of_each_are_counted_one_by_one() -> None:
    assert len(said_of(FEW + 1)) == FEW + 2
