"""Certificates hold what the strictest client asks for, and files of identity are kept."""

from __future__ import annotations

import base64
import ssl
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from threeport.bootstrap.local.certificates import (
    Certificate,
    is_current,
    issue_client,
    issue_server,
    names_of,
    new_authority,
)
from threeport.bootstrap.local.identities import kubeconfig, prepare_identities

AUTHORITY = new_authority("test-ca")


def parsed(certificate: Certificate) -> x509.Certificate:
    return x509.load_pem_x509_certificate(certificate.certificate)


def handshake(tmp_path: Path, server: Certificate, host: str, client: Certificate | None, clients_ca: bytes) -> object:
    """What the server learns of the client in a TLS handshake under the strictest checks, over memory buffers."""
    for name, data in (("s.crt", server.certificate), ("s.key", server.key)):
        (tmp_path / name).write_bytes(data)
    accepting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    accepting.load_cert_chain(tmp_path / "s.crt", tmp_path / "s.key")
    accepting.load_verify_locations(cadata=clients_ca.decode())
    accepting.verify_mode = ssl.CERT_OPTIONAL
    accepting.verify_flags |= ssl.VERIFY_X509_STRICT
    calling = ssl.create_default_context(cadata=AUTHORITY.certificate.decode())
    calling.verify_flags |= ssl.VERIFY_X509_STRICT
    if client:
        for name, data in (("c.crt", client.certificate), ("c.key", client.key)):
            (tmp_path / name).write_bytes(data)
        calling.load_cert_chain(tmp_path / "c.crt", tmp_path / "c.key")
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        calling.wrap_bio(down, up, server_hostname=host),
        accepting.wrap_bio(up, down, server_side=True),
    ]
    for _ in range(4):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                pass
    return ends[1].getpeercert()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_strict_client_accepts_the_server_and_the_server_learns_who_the_client_is(tmp_path: Path, host: str) -> None:
    server = issue_server(AUTHORITY, hosts=["127.0.0.1", "localhost"])
    client = issue_client(AUTHORITY, name="controller:workload", groups=["threeport:controllers"])
    peer = handshake(tmp_path, server, host, client, AUTHORITY.certificate)
    assert isinstance(peer, dict)
    assert peer["subject"] == (
        (("organizationName", "threeport:controllers"),),
        (("commonName", "controller:workload"),),
    )


def test_a_client_of_another_authority_is_refused(tmp_path: Path) -> None:
    server = issue_server(AUTHORITY, hosts=["localhost"])
    stranger = issue_client(new_authority("other"), name="admin", groups=["threeport:admins"])
    with pytest.raises(ssl.SSLError):
        handshake(tmp_path, server, "localhost", stranger, AUTHORITY.certificate)


def test_a_server_certificate_opens_no_door_for_clients(tmp_path: Path) -> None:
    server = issue_server(AUTHORITY, hosts=["localhost"])
    with pytest.raises(ssl.SSLError):
        handshake(tmp_path, server, "localhost", server, AUTHORITY.certificate)


def test_a_client_without_a_certificate_gets_through_the_handshake_without_a_name(tmp_path: Path) -> None:
    assert not handshake(
        tmp_path, issue_server(AUTHORITY, hosts=["localhost"]), "localhost", None, AUTHORITY.certificate
    )


def test_every_certificate_says_what_it_may_be_used_for() -> None:
    authority = parsed(AUTHORITY).extensions
    assert authority.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    assert authority.get_extension_for_class(x509.BasicConstraints).value.ca
    for made, usage in (
        (issue_client(AUTHORITY, name="a"), ExtendedKeyUsageOID.CLIENT_AUTH),
        (issue_server(AUTHORITY, hosts=["a"]), ExtendedKeyUsageOID.SERVER_AUTH),
    ):
        extensions = parsed(made).extensions
        assert list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [usage]
        assert not extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign


def test_files_are_private_and_kept_and_the_server_follows_its_hosts(tmp_path: Path) -> None:
    directory = tmp_path / "identities"
    files = prepare_identities(directory, controllers=["workload"])
    before = {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}
    assert all(path.stat().st_mode & 0o77 == 0 for path in directory.rglob("*"))
    prepare_identities(directory, controllers=["workload"])
    assert before == {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}
    assert is_current(files.server.certificate.read_bytes())
    prepare_identities(directory, hosts=["api.example.com"], controllers=["workload"])
    changed = {path.name for path, content in before.items() if path.read_bytes() != content}
    assert changed == {"server.crt", "server.key"}
    assert names_of(files.server.certificate.read_bytes()) == ["api.example.com"]
    certificate = x509.load_pem_x509_certificate(files.controller("workload").certificate.read_bytes())
    assert certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "controller:workload"


def test_a_kubeconfig_holds_everything_inline() -> None:
    text = kubeconfig("https://127.0.0.1:1", authority=b"ca", certificate=b"crt", key=b"key", name="dev")
    document = yaml.safe_load(text)
    assert document["current-context"] == "dev"
    assert document["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:1"
    assert base64.b64decode(document["users"][0]["user"]["client-key-data"]) == b"key"
