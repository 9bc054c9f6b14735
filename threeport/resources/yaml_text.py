"""YAML as Kubernetes reads it, from people who may be careless or hostile.

PyYAML's safe loader speaks YAML 1.1 with dates, base-60 numbers (``22:22`` is 1342) and silent duplicate keys, and an
alias may stand for any amount of data. Kubernetes has none of these, and manifests come from users, so this loader
has neither. Keys become strings, as in JSON.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterator
from typing import Any, Final

import yaml

from threeport.common.types import JsonObject

MAX_NODES = 200_000
"""How many values a text may stand for once its aliases are expanded; a real text of 1.5 MB has fewer."""

MAX_DEPTH = 100
"""How deep values may be nested; Kubernetes objects stay far below."""

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LEFT_OUT = {"tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"}
_INT = re.compile(r"^[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0o?[0-7_]+|[1-9][0-9_]*|0)$")
_OCTAL = re.compile(r"[-+]?0[0-7]+")
_INTEGERS = range(-(2**63), 2**64)
_FLOAT = re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$")

_TOO_DEEP_FOR_LIBYAML: Final = "exceeded maximum nesting depth"
"""What PyYAML 6.0.4 says of a thousand levels. It looks ahead, and sees them before it tells of the first."""


class YamlError(Exception):
    """The text is not YAML that can stand for JSON. `document` and `line` count from 1."""

    def __init__(self, problem: str, *, document: int, line: int) -> None:
        super().__init__(f"document {document}, line {line}: {problem}")
        self.problem, self.document, self.line = problem, document, line


class YamlTooLarge(YamlError):
    """The text is over a limit, which the message names."""


def load_documents(text: str) -> Iterator[tuple[int, int, Any]]:
    """Every document of a text as (number, line where it begins, value); both count from 1.

    Raises `YamlError` for what is no YAML, duplicate keys, alias bombs, values that JSON does not have.
    """
    number = 1
    try:
        refuse_deep(text)
        loader = _KubernetesLoader(text)
        while loader.check_node():
            node = loader.get_node()
            _refuse_bombs(node)
            yield number, node.start_mark.line + 1, loader.construct_document(node)
            number += 1
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "not YAML"
        raise YamlError(problem, document=number, line=mark.line + 1 if mark else 1) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise YamlError(str(error) or "not YAML", document=number, line=1) from None


def refuse_deep(text: str, *, aliases: bool = True) -> None:
    """Raises `YamlError` for a text nested deeper than `MAX_DEPTH`, of more than `MAX_NODES` values, or with aliases
    unless they may be. What else is wrong with it is left to who loads it.

    To be asked before anything is made of a text: libyaml tells events one by one, but the tree is put together by
    recursion in C, and a text of a hundred thousand brackets would end the process.
    """
    depth = document = 0
    for number, event in enumerate(_events(text)):
        if isinstance(event, yaml.DocumentStartEvent):
            document += 1
        elif isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        line = event.start_mark.line + 1 if event.start_mark else 1
        if depth > MAX_DEPTH:
            raise _too_deep(document, line)
        if number > MAX_NODES:
            raise YamlTooLarge(f"more than {MAX_NODES} values", document=document, line=line)
        if not aliases and isinstance(event, yaml.AliasEvent):
            problem = "aliases (*name) are not accepted; write the value out"
            raise YamlError(problem, document=document, line=line)


def _events(text: str) -> Iterator[yaml.Event]:
    document = 0
    try:
        for event in yaml.parse(text, Loader=_Base):
            document += isinstance(event, yaml.DocumentStartEvent)
            yield event
    except yaml.MarkedYAMLError as error:
        if error.problem == _TOO_DEEP_FOR_LIBYAML:
            raise _too_deep(max(document, 1), error.problem_mark.line + 1 if error.problem_mark else 1) from None
    except (yaml.YAMLError, ValueError):
        return


def _too_deep(document: int, line: int) -> YamlTooLarge:
    return YamlTooLarge(f"nested deeper than {MAX_DEPTH} levels", document=document, line=line)


class _KubernetesLoader(_Base):  # type: ignore[misc] # the C loader where PyYAML was built with it
    """The safe loader without what Kubernetes does not have."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in _LEFT_OUT]
        for first, resolvers in _Base.yaml_implicit_resolvers.items()
    }


def _construct_mapping(loader: Any, node: yaml.MappingNode) -> Iterator[JsonObject]:
    found: JsonObject = {}
    yield found
    _refuse_duplicates(loader, node)
    loader.flatten_mapping(node)
    for key_node, value_node in node.value:
        found[_key(loader, key_node)] = loader.construct_object(value_node, deep=True)


def _refuse_duplicates(loader: Any, node: yaml.MappingNode) -> None:
    seen: set[Hashable] = set()
    for key_node, _ in node.value:
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else _key(loader, key_node)
        if key in seen and key != "<<":
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is given twice", key_node.start_mark)
        seen.add(key)


def _key(loader: Any, node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise yaml.constructor.ConstructorError(None, None, "a key must be a string", node.start_mark)
    value = loader.construct_object(node)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (str, int)) else str(node.value)


def _construct_int(loader: Any, node: yaml.ScalarNode) -> int:
    digits = str(node.value).replace("_", "")
    value = int(digits, 8 if _OCTAL.fullmatch(digits) else 0)
    if value not in _INTEGERS:
        raise yaml.constructor.ConstructorError(
            None, None, "a number of more than 64 bits is none in JSON; put it in quotes", node.start_mark
        )
    return value


def _construct_float(loader: Any, node: yaml.ScalarNode) -> float:
    value = float(node.value)
    if not math.isfinite(value):
        raise yaml.constructor.ConstructorError(None, None, f"{node.value} is not a JSON number", node.start_mark)
    return value


def _refuse_tag(loader: Any, node: yaml.Node) -> Any:
    raise yaml.constructor.ConstructorError(None, None, f"the tag {node.tag} stands for no JSON", node.start_mark)


_KubernetesLoader.add_implicit_resolver("tag:yaml.org,2002:int", _INT, list("-+0123456789"))
_KubernetesLoader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+0123456789."))
_KubernetesLoader.add_constructor("tag:yaml.org,2002:map", _construct_mapping)
_KubernetesLoader.add_constructor("tag:yaml.org,2002:int", _construct_int)
_KubernetesLoader.add_constructor("tag:yaml.org,2002:float", _construct_float)
for _tag in ("timestamp", "binary", "set", "omap", "pairs"):
    _KubernetesLoader.add_constructor(f"tag:yaml.org,2002:{_tag}", _refuse_tag)


def _refuse_bombs(root: yaml.Node) -> None:
    """Sizes of the tree with aliases expanded, without expanding it: each node is measured once."""
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()

    def measure(node: yaml.Node, depth: int) -> int:
        if isinstance(node, yaml.ScalarNode):
            return 1
        known = sizes.get(id(node))
        if known is not None:
            return known
        if id(node) in open_nodes:
            raise yaml.composer.ComposerError(None, None, "an alias that contains itself", node.start_mark)
        if depth > MAX_DEPTH:
            raise yaml.composer.ComposerError(None, None, f"nested deeper than {MAX_DEPTH} levels", node.start_mark)
        open_nodes.add(id(node))
        size = 1 + sum(measure(child, depth + 1) for child in _children(node))
        open_nodes.discard(id(node))
        if size > MAX_NODES:
            raise yaml.composer.ComposerError(
                None, None, f"aliases that stand for more than {MAX_NODES} values", node.start_mark
            )
        sizes[id(node)] = size
        return size

    measure(root, 0)


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    for item in node.value:
        if isinstance(item, tuple):
            yield from item
        else:
            yield item
