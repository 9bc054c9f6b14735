"""Files that people apply: read, split into documents, with the manifests they name put in their place."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from threeport.cli.errors import CliError
from threeport.cli.exit_codes import ExitCode
from threeport.common.types import JsonObject
from threeport.resources.yaml_text import YamlError, load_documents

SUFFIXES = (".yaml", ".yml", ".json")
STDIN = "-"

_PATH = re.compile(r"[^\n:{]+\.(?:yaml|yml|json)")
"""A manifest that is one line and ends like a file name is the path of a file; YAML text has a colon or a line end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One object of a file. `origin` says where it stands, for messages: ``samples/a.yaml, document 2, line 14``."""

    obj: JsonObject
    origin: str
    inlined: tuple[tuple[int, Path], ...] = ()
    """Which of its manifests came from which file, by index."""


class _Source(NamedTuple):
    """One text before it is looked into; paths in it are relative to `directory`."""

    name: str
    text: str
    directory: Path
    file: Path | None


def read_documents(sources: Sequence[str]) -> list[Document]:
    """The objects in files, directories (their YAML and JSON files, by name) and ``-`` (stdin), in order.

    A file that another one names as a manifest is part of that one, and not read for itself.
    Raises `CliError` that names the file, the document and the line.
    """
    texts = [text for source in sources for text in _texts(source)]
    documents = [(text, [*_split(text)]) for text in texts]
    named = {file for text, found in documents for _, value in found for _, file in _paths_in(value, text.directory)}
    result = [
        _inlined(value, origin, text.directory)
        for text, found in documents
        if text.file is None or text.file.resolve() not in named
        for origin, value in found
    ]
    if not result:
        raise CliError(f"There is no object in {', '.join(sources)}.")
    return result


def _texts(source: str) -> Iterator[_Source]:
    if not source:  # as from an unset variable; the path would be the working directory
        raise CliError("-f names no file: it is empty.", ExitCode.USAGE)
    if source == STDIN:
        yield _Source("stdin", _from_stdin(), Path.cwd(), None)
        return
    for file in _files(Path(source)):
        yield _Source(str(file), _text(file), file.parent, file)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.is_file() and file.suffix in SUFFIXES)
    if not files:
        below = sorted(str(inner) for inner in path.iterdir() if inner.is_dir())
        hint = f" Directories below it are not looked into: name one, such as {below[0]}." if below else ""
        raise CliError(f"The directory {path} holds no file that ends with {', '.join(SUFFIXES)}.{hint}")
    return files


def _from_stdin() -> str:
    try:
        return sys.stdin.read()
    except UnicodeDecodeError as error:
        raise CliError(f"stdin cannot be read: {error}.") from None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CliError(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}.") from None


def _split(source: _Source) -> Iterator[tuple[str, object]]:
    """Every value of the text, with words for where it stands."""
    try:
        documents = [document for document in load_documents(source.text) if document[2] is not None]
    except YamlError as error:
        raise CliError(f"{source.name}: {error}") from None
    for number, line, value in documents:
        origin = f"{source.name}, document {number}, line {line}" if len(documents) > 1 else source.name
        is_list = isinstance(value, dict) and value.get("kind") == "List" and isinstance(value.get("items"), list)
        yield from ((origin, item) for item in (value["items"] if is_list else [value]))


def _paths_in(value: object, directory: Path) -> Iterator[tuple[int, Path]]:
    """The manifests of an object that are paths of files, by index."""
    spec = value.get("spec") if isinstance(value, dict) else None
    manifests = spec.get("manifests") if isinstance(spec, dict) else None
    for index, item in enumerate(manifests if isinstance(manifests, list) else ()):
        if isinstance(item, str) and _PATH.fullmatch(item.strip()):
            yield index, (directory / item.strip()).resolve()


def _inlined(value: object, origin: str, directory: Path) -> Document:
    """The object with the files that its ``spec.manifests`` names in their place."""
    obj = _checked(value, origin)
    paths = tuple(_paths_in(obj, directory))
    if not paths:
        return Document(obj=obj, origin=origin)
    manifests = list(obj["spec"]["manifests"])
    for index, file in paths:
        if not file.is_file():
            raise CliError(f"{origin}: spec.manifests[{index}] names {file}, which is no file. Correct the path.")
        manifests[index] = _text(file)
    return Document(obj={**obj, "spec": {**obj["spec"], "manifests": manifests}}, origin=origin, inlined=paths)


def _checked(value: object, origin: str) -> JsonObject:
    """What every object needs before the API can be asked about it."""
    if not isinstance(value, dict):
        found = type(value).__name__
        raise CliError(f"{origin}: expected an object with apiVersion, kind and metadata, found a {found}.")
    for field in ("apiVersion", "kind"):
        if not isinstance(value.get(field), str):
            raise CliError(f"{origin}: the object has no {field}.")
    metadata = value.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        raise CliError(f"{origin}: the {value['kind']} has no metadata.name.")
    return value
