from __future__ import annotations

import json
import shutil
import stat
from base64 import b64decode
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from tests.cluster.certificates import AUTHORITIES, IDENTITIES, make_certificates
from tests.cluster.errors import ProgramMissingError
from tests.cluster.kubeconfig import write_kubeconfig


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificates of a cluster."""
    directory = tmp_path_factory.mktemp("cluster") / "pki"
    make_certificates(directory)
    return directory


def load(pki: Path, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((pki / f"{name}.crt").read_bytes())


@pytest.mark.parametrize("name", AUTHORITIES)
def test_an_authority_may_sign_certificates(pki: Path, name: str) -> None:
    usage = load(pki, name).extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.key_cert_sign


@pytest.mark.parametrize("name", IDENTITIES)
def test_an_identity_is_signed_by_its_authority_and_is_none_itself(pki: Path, name: str) -> None:
    certificate = load(pki, name)
    certificate.verify_directly_issued_by(load(pki, IDENTITIES[name].issuer))
    assert not any(isinstance(extension.value, x509.BasicConstraints) for extension in certificate.extensions)


def test_the_administrator_is_in_the_group_that_may_do_everything(pki: Path) -> None:
    [group] = load(pki, "admin").subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    assert group.value == "system:masters"


def test_keys_are_for_the_owner_only(pki: Path) -> None:
    assert stat.S_IMODE(pki.stat().st_mode) == 0o700


def test_a_kubeconfig_can_be_copied_away(pki: Path, tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    write_kubeconfig(path, cluster="one", user="admin", port=20000, certificates=pki)
    document = json.loads(path.read_text())
    assert document["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:20000"
    assert b64decode(document["users"][0]["user"]["client-key-data"]) == (pki / "admin.key").read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_without_openssl_the_message_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(ProgramMissingError, match="openssl is not on PATH"):
        make_certificates(tmp_path / "pki")
