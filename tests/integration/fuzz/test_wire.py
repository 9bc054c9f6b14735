"""Bytes on the connection that no client of good will sends: bombs, lies about lengths, smuggled requests."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.fixtures.api import Api
from tests.integration.fuzz.conftest import LONGEST, REPORTS, resident
from tests.integration.fuzz.test_bodies import report
from threeport.bootstrap.local.processes import LOOPBACK

BODY = json.dumps(report("on-the-wire")).encode()
QUIET = 0.5
"""Seconds without a byte after which an answer is taken to be over."""
PEAK = 150 * 1024
"""KiB that one request may cost while it is answered."""
HEAD = b"GET /api HTTP/1.1\r\nHost: x\r\n"


def post(body: bytes = BODY, *headers: bytes, length: int | None = None, content_type: bytes = b"json") -> bytes:
    """A dry creation; `length` is what it says of itself, -1 for nothing."""
    said = [] if length == -1 else [b"Content-Length: %d" % (len(body) if length is None else length)]
    lines = [f"POST {REPORTS}?dryRun=All HTTP/1.1".encode(), b"Host: x", b"Content-Type: application/" + content_type]
    return b"\r\n".join([*lines, *said, *headers, b"", body])


def chunked(body: bytes, *headers: bytes) -> bytes:
    """The same in chunks, as they are given."""
    return post(body, b"Transfer-Encoding: chunked", *headers, length=-1)


def bomb(megabytes: int, window: int) -> bytes:
    """A JSON text of many megabytes, compressed to a thousandth."""
    packer = zlib.compressobj(9, zlib.DEFLATED, window)
    return b"".join(packer.compress(b'{"a":"' + b"x" * (1 << 20)) for _ in range(megabytes)) + packer.flush()


@pytest.fixture
def wire(api: Api) -> Iterator[Callable[[bytes], bytes]]:
    """Sends bytes on a connection of their own, and returns all that is answered; after it the server is well."""
    context = api.tls(api.files.admin)

    def send(data: bytes) -> bytes:
        answer = b""
        plain = socket.create_connection((LOOPBACK, api.process.port), timeout=LONGEST)
        with context.wrap_socket(plain, server_hostname=LOOPBACK) as connection, suppress(OSError):
            with suppress(ConnectionError, ssl.SSLError):  # it may close before it has read everything
                connection.sendall(data)
            while part := connection.recv(1 << 16):
                answer += part
                connection.settimeout(QUIET)
        return answer

    before = resident(api)
    Path(f"/proc/{api.process.pid}/clear_refs").write_text("5")  # forget the peak so far
    yield send
    assert peak(api) - before < PEAK, "one request has cost too much memory"
    assert b'"ok"' in send(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")


def peak(api: Api) -> int:
    """KiB of memory that the server has held at most since that was forgotten."""
    status = Path(f"/proc/{api.process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))


def code_of(answer: bytes) -> int:
    """The code of the first answer."""
    assert answer.startswith((b"HTTP/1.1 ", b"HTTP/1.0 ")), answer[:200]
    return int(answer.split(b" ", 2)[1])


GZIP, DEFLATE = b"Content-Encoding: gzip", b"Content-Encoding: deflate"
CASES: dict[str, tuple[bytes, int | tuple[int, ...]]] = {
    "gzip": (post(gzip.compress(BODY), GZIP), 201),
    "gzip bomb": (post(bomb(300, 31), GZIP), 413),
    "deflate bomb": (post(bomb(300, 15), DEFLATE), 413),
    "gzip in gzip": (post(gzip.compress(gzip.compress(BODY)), GZIP), 400),
    "no gzip": (post(b"no gzip", GZIP), 400),
    "half a gzip": (post(gzip.compress(BODY)[:-20], GZIP), 400),
    "unknown encoding": (post(BODY, b"Content-Encoding: rot13"), (201, 400, 415)),
    "encoding nobody has": (post(BODY, b"Content-Encoding: br"), 400),
    "byte order mark": (post(b"\xef\xbb\xbf" + BODY), 400),
    "UTF-16": (post(BODY.decode().encode("utf-16")), 400),
    "minus zero": (post(BODY.replace(b'"u"', b"-0")), 422),
    "1e400": (post(BODY.replace(b'"u"', b"1e400")), 400),
    "two lengths": (post(BODY, b"Content-Length: 5"), 400),
    "negative length": (post(length=-5), 400),
    "length and chunks": (post(BODY, b"Transfer-Encoding: chunked"), 400),
    "unknown transfer": (post(BODY, b"Transfer-Encoding: xchunked", length=-1), 400),
    "space before the colon": (post(BODY, b"Transfer-Encoding : chunked", length=-1), 400),
    "negative chunk": (chunked(b"-5\r\nhello\r\n0\r\n\r\n"), 400),
    "chunks without CR": (chunked(b"%x\n%s\n0\n\n" % (len(BODY), BODY)), 400),
    "long chunk extension": (chunked(b"%x;%s\r\n%s\r\n0\r\n\r\n" % (len(BODY), b"x" * 100_000, BODY)), (201, 400)),
    "flood of trailers": (chunked(b"%x\r\n%s\r\n0\r\n%s\r\n" % (len(BODY), BODY, b"T: x\r\n" * 100_000)), 400),
    "flood of headers": (HEAD + b"".join(b"X-%d: y\r\n" % n for n in range(100_000)) + b"\r\n", 400),
    "enormous header": (HEAD + b"X: " + b"y" * 10_000_000 + b"\r\n\r\n", 400),
    "enormous URL": (b"GET /" + b"a" * 10_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "folded header": (HEAD + b" folded: y\r\n\r\n", 400),
    "NUL in a header": (HEAD + b"X: a\0b\r\n\r\n", 400),
    "no such method": (b"DANCE /api HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "no such version": (b"GET /api HTTP/9.9\r\nHost: x\r\n\r\n", 400),
    "HTTP/2 unasked": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "a tunnel": (b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", (400, 404, 405)),
    "no host": (b"GET /api HTTP/1.1\r\n\r\n", (200, 400)),
    "expects what nobody does": (HEAD + b"Expect: 200-ok\r\n\r\n", 417),
    "expects to be told to go on": (post(BODY, b"Expect: 100-continue"), 100),
    "TLS in TLS": (b"\x16\x03\x01\x00" * 100, 400),
    "list of lists": (post(b'{"a":[' + b"[]," * 990_000 + b"1]}"), 413),
    "YAML list": (post(b"a:\n" + b"- b\n" * 700_000, content_type=b"yaml"), (400, 413)),
    "YAML escapes": (post(b'a: "' + b"\\u0041" * 480_000 + b'"', content_type=b"yaml"), 400),
    "YAML documents": (post(b"--- a\n" * 480_000, content_type=b"yaml"), (400, 413)),
    "YAML anchors": (post(b"&a " * 900_000, content_type=b"yaml"), 400),
}


@pytest.mark.parametrize("case", CASES)
def test_what_lies_about_itself_is_refused_and_costs_little(wire: Callable[[bytes], bytes], case: str) -> None:
    data, wanted = CASES[case]
    begun = time.monotonic()
    code = code_of(wire(data))
    assert code in ((wanted,) if isinstance(wanted, int) else wanted)
    assert time.monotonic() - begun < LONGEST + QUIET


def test_who_says_less_than_he_sends_smuggles_no_request_in(wire: Callable[[bytes], bytes]) -> None:
    # What is left over would be the next request, which it cannot be.
    answer = wire(post(length=len(BODY) - 10))
    assert code_of(answer) == 400
    assert b" 201 " not in answer


@pytest.mark.parametrize("said", [b"5\r\nhello\r\n", b"ffffffffffffffff\r\nhello\r\n"])
def test_who_never_ends_a_body_holds_up_nobody_else(wire: Callable[[bytes], bytes], said: bytes) -> None:
    assert wire(chunked(said)) == b""


def test_requests_sent_ahead_are_answered_in_order(wire: Callable[[bytes], bytes]) -> None:
    requests = [b"GET /api/v1/namespaces/%d HTTP/1.1\r\nHost: x\r\n\r\n" % number for number in range(200)]
    answer = wire(b"".join(requests))
    places = [answer.index(b'"%d\\" not found' % number) for number in range(200)]
    assert places == sorted(places)


def test_a_body_that_nobody_reads_is_not_taken_for_a_request(wire: Callable[[bytes], bytes]) -> None:
    inner = b"DELETE /api/v1/namespaces/default HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = wire(HEAD + b"Content-Length: %d\r\n\r\n" % len(inner) + inner)
    assert answer.count(b"HTTP/1.1 ") == 1
