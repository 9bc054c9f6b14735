"""Where who has listed goes on: with the next page, or with a watch."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

import orjson

from threeport.common.errors import BadRequest
from threeport.common.revisions import SLACK, revision_of
from threeport.krm.paths import Target
from threeport.krm.reading.selection import Selection, names_one
from threeport.store.records import StoredObject

_SEAL = 9
"""Bytes at the head of a ``continue`` token; a multiple of three, so that base64 needs no padding for it."""
_REPEATED = revision_of(2 * SLACK)
"""What is older than this before a revision is repeated to nobody who resumes from there, whichever server's clock is
asked."""


def resume_point(target: Target, selection: Selection, items: Sequence[StoredObject], clock: int) -> int:
    """The revision to watch from after a list of `items`, for which the clock was read before.

    Revisions order the changes of one name, so who has listed one object by name goes on from that object: then the
    watch repeats nothing, and nobody who waits for its end hears of that of an earlier object of the name. What is
    older than a watch repeats needs none of it, and as a revision to resume from it might be too old.
    """
    if not names_one(target, selection) or len(items) != 1:
        return clock
    return items[0].revision if items[0].revision > clock - _REPEATED else clock


@dataclass(frozen=True, slots=True)
class Position:
    """Where a list goes on: the revision of its first page and the key of the last item sent."""

    revision: int
    after: tuple[str, str]

    def as_token(self, target: Target, selection: Selection) -> str:
        """The ``continue`` token, good for this list only."""
        content = orjson.dumps([self.revision, *self.after])
        return base64.urlsafe_b64encode(_seal(content, target, selection) + content).decode()


def parse_position(token: str, target: Target, selection: Selection) -> Position:
    """The position of a ``continue`` token. Raises `BadRequest`, as Kubernetes does, if it was made for another list
    or not here."""
    try:
        raw = base64.b64decode(token, altchars=b"-_", validate=True)
    except ValueError:
        raw = b""
    seal, content = raw[:_SEAL], raw[_SEAL:]
    sealed = bool(seal) and seal == _seal(content, target, selection)
    if sealed and (position := _position_in(content)) is not None:
        return position
    raise BadRequest("the continue token was not made by this server for this list; list from the start")


def _position_in(content: bytes) -> Position | None:
    """None where there is none: anyone can compute a seal, so what is under it need not be from here."""
    try:
        match orjson.loads(content):
            case [int(revision), str(namespace), str(name)] if "\0" not in namespace + name:
                return Position(revision, (namespace, name))
    except ValueError:
        pass
    return None


def _seal(content: bytes, target: Target, selection: Selection) -> bytes:
    """Shows that a token was changed or belongs to another list. No secret: whoever makes one of his own sees nothing
    but what he may list anyway."""
    labels = [(key, operator, sorted(values)) for key, operator, values in selection.labels]
    of = repr((target.kind.resource, replace(selection, labels=()), labels))
    return blake2b(of.encode(errors="surrogatepass") + b"\0" + content, digest_size=_SEAL).digest()
