"""YAML for people: whole lines, no base64, and the same value when it is read again."""

from __future__ import annotations

import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from threeport.bootstrap.local.certificates import new_authority
from threeport.cli.yaml_output import as_yaml, with_short_certificates

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
@example("0\n")
def test_what_is_written_reads_as_the_same(value: object) -> None:
    printed = as_yaml({"value": value}) + "\n"  # a block that ends with the file has no line end of its own
    assert yaml.safe_load(printed) == {"value": value}


def test_a_text_of_several_lines_is_a_block_without_lines_between() -> None:
    assert as_yaml({"text": "a: 1\nb: 2\n"}) == "text: |\n  a: 1\n  b: 2"


def test_certificates_are_told_in_words_wherever_they_stand() -> None:
    pem = new_authority("test-ca").certificate.decode()
    shown = with_short_certificates({"spec": {"ca": pem, "chain": [pem + pem], "name": "east"}})
    assert "-----BEGIN" not in str(shown)
    assert str(shown).count("certificate of CN=test-ca, valid until 20") == 2
    assert "and 1 more" in str(shown)
    assert "'name': 'east'" in str(shown)


def test_a_pem_text_that_is_no_certificate_is_told_by_its_kind_and_size() -> None:
    text = "-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----\n"
    assert with_short_certificates(text) == f"public key, {len(text)} bytes"
