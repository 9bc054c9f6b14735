"""Objects as YAML for people: texts of several lines as they are, certificates by what they say."""

from __future__ import annotations

import yaml

WIDTH = 120
PEM_BEGIN = "-----BEGIN "


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks (``|``)."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    other_line_ends = any(sign in text for sign in "\x85\u2028\u2029")  # PyYAML reads them back as others
    style = '"' if other_line_ends else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def as_yaml(value: object) -> str:
    """The value as YAML, in the order of its keys, without the last line end, which whoever prints it adds."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH).removesuffix("\n")


def with_short_certificates(value: object) -> object:
    """The value with a few words in the place of each PEM text: nobody reads base64."""
    if isinstance(value, dict):
        return {key: with_short_certificates(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [with_short_certificates(inner) for inner in value]
    return _in_words(value) if isinstance(value, str) and value.lstrip().startswith(PEM_BEGIN) else value


def _in_words(pem: str) -> str:
    """``certificate of CN=ca, valid until 2036-11-19``; of what cannot be read, its kind and size."""
    from cryptography import x509  # imported here: few objects hold certificates

    try:
        found = x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        title = pem.lstrip().removeprefix(PEM_BEGIN).partition("-----")[0].lower()
        return f"{title}, {len(pem)} bytes"
    first = found[0]
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    subject = first.subject.rfc4514_string() or "nobody"
    return f"certificate of {subject}, valid until {first.not_valid_after_utc:%Y-%m-%d}{more}"
