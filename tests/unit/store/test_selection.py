"""The SQL of lists: as many parameters as placeholders, and no value in the text."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from threeport.store.records import Key, Listing, Shard
from threeport.store.selection import select

texts = st.text(min_size=1)
operators = st.sampled_from(["in", "notin", "exists", "notexists"])
requirements = st.tuples(texts, operators, st.frozensets(texts, max_size=3))
listings = st.builds(
    Listing,
    st.just("things"),
    namespace=st.none() | texts,
    name=st.none() | texts,
    labels=st.lists(requirements, max_size=3).map(tuple),
    referring_to=st.none() | st.builds(Key, texts, texts, texts),
    shard=st.none() | st.builds(Shard, st.integers(0, 9), st.integers(1, 9)),
    only_deleting=st.booleans(),
)


@given(listing=listings, after=st.none() | st.tuples(texts, texts))
def test_every_value_is_a_parameter(listing: Listing, after: tuple[str, str] | None) -> None:
    selection = select(listing, after=after)
    query = selection.page(10)
    assert query.count("%s") == len(selection.parameters)
    assert query.replace("%s", "").count("%") == 0
    same_values = [frozenset(f"x{n}" for n in range(len(values))) for _, _, values in listing.labels]
    without_values = replace(
        listing,
        resource="other",
        namespace=listing.namespace and "x",
        name=listing.name and "x",
        labels=tuple(("x", label[1], values) for label, values in zip(listing.labels, same_values, strict=True)),
        referring_to=listing.referring_to and Key("x", "x", "x"),
    )
    assert query == select(without_values, after=after and ("x", "x")).page(10)


def test_without_a_limit_everything_is_asked_for() -> None:
    selection = select(Listing("things"), after=None)
    assert "LIMIT" not in selection.page(None)
    assert selection.page(501).endswith("ORDER BY namespace, name LIMIT 501")
