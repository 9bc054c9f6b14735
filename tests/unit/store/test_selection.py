"""The SQL of lists: as many parameters as placeholders, and no value in the text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from threeport.store.records import Key, Shard
from threeport.store.selection import select

texts = st.text(min_size=1)
operators = st.sampled_from(["in", "notin", "exists", "notexists"])
requirements = st.tuples(texts, operators, st.frozensets(texts, max_size=3))


@given(
    namespace=st.none() | texts,
    name=st.none() | texts,
    labels=st.lists(requirements, max_size=3),
    referring_to=st.none() | st.builds(Key, texts, texts, texts),
    shard=st.none() | st.builds(Shard, st.integers(0, 9), st.integers(1, 9)),
    after=st.none() | st.tuples(texts, texts),
)
def test_every_value_is_a_parameter(
    namespace: str | None,
    name: str | None,
    labels: list,
    referring_to: Key | None,
    shard: Shard | None,
    after: tuple[str, str] | None,
) -> None:
    selection = select(
        "things",
        namespace=namespace,
        name=name,
        labels=labels,
        referring_to=referring_to,
        shard=shard,
        after=after,
    )
    query = selection.page(10)
    assert query.count("%s") == len(selection.parameters)
    assert query.replace("%s", "").count("%") == 0
    without_values = select(
        "other",
        namespace=namespace and "x",
        name=name and "x",
        labels=[("x", operator, frozenset(f"x{n}" for n in range(len(values)))) for _, operator, values in labels],
        referring_to=referring_to and Key("x", "x", "x"),
        shard=shard,
        after=after and ("x", "x"),
    )
    assert query == without_values.page(10)


def test_without_a_limit_everything_is_asked_for() -> None:
    selection = select("things", namespace=None, name=None, labels=(), referring_to=None, shard=None, after=None)
    assert "LIMIT" not in selection.page(None)
    assert selection.page(501).endswith("ORDER BY namespace, name LIMIT 501")
