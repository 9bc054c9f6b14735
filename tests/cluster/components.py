"""The command line of each process of a cluster.

The flags are those of kubeadm, but for what a throw-away cluster on loopback
does better without: leader election (it costs seconds at the start) and the
components' own HTTPS ports.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.cluster.certificates import SERVICE_ADDRESS
from tests.cluster.ports import LOOPBACK
from tests.cluster.record import Folder, Record

PORTS = ("etcd", "etcd-peer", "kube-apiserver")
SERVICE_RANGE = SERVICE_ADDRESS.rpartition(".")[0] + ".0/16"
POD_RANGE = "10.244.0.0/16"
STAGES = Path(__file__).parent / "manifests" / "stages.yaml"

# The defaults (20 and 30 a second) are for clusters that share their API with others.
REQUEST_RATE = ("--kube-api-qps=500", "--kube-api-burst=1000")
NO_SERVER = ("--leader-elect=false", "--secure-port=0")


def command(component: str, record: Record) -> list[str]:
    """The command that starts `component` of the cluster described by `record`."""
    return [record.programs[component], *_ARGUMENTS[component](record, Folder.of(record.name))]


def _etcd(record: Record, folder: Folder) -> list[str]:
    client = f"http://{LOOPBACK}:{record.ports['etcd']}"
    peer = f"http://{LOOPBACK}:{record.ports['etcd-peer']}"
    arguments = [
        f"--data-dir={folder.etcd}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--log-level=warn",
    ]
    # The data need not survive a power cut, and waiting for the disk halves the speed.
    return arguments if record.fsync else [*arguments, "--unsafe-no-fsync"]


def _apiserver(record: Record, folder: Folder) -> list[str]:
    pki = folder.certificates
    return [
        f"--etcd-servers=http://{LOOPBACK}:{record.ports['etcd']}",
        f"--bind-address={LOOPBACK}",
        f"--advertise-address={LOOPBACK}",
        f"--secure-port={record.ports['kube-apiserver']}",
        # A loopback address may not be an endpoint; the reconciler would only log that, for ever.
        "--endpoint-reconciler-type=none",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--enable-bootstrap-token-auth=true",
        "--allow-privileged=true",
        f"--client-ca-file={pki / 'ca.crt'}",
        f"--tls-cert-file={pki / 'apiserver.crt'}",
        f"--tls-private-key-file={pki / 'apiserver.key'}",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={pki / 'service-account.pub'}",
        f"--service-account-signing-key-file={pki / 'service-account.key'}",
        f"--requestheader-client-ca-file={pki / 'front-proxy-ca.crt'}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={pki / 'front-proxy-client.crt'}",
        f"--proxy-client-key-file={pki / 'front-proxy-client.key'}",
    ]


def _controllers(_record: Record, folder: Folder) -> list[str]:
    pki = folder.certificates
    return [
        f"--kubeconfig={folder.component_kubeconfig('kube-controller-manager')}",
        "--controllers=*,bootstrapsigner,tokencleaner",
        "--use-service-account-credentials=true",
        f"--service-account-private-key-file={pki / 'service-account.key'}",
        f"--root-ca-file={pki / 'ca.crt'}",
        f"--cluster-signing-cert-file={pki / 'ca.crt'}",
        f"--cluster-signing-key-file={pki / 'ca.key'}",
        # Simulated nodes do not fail; a starved machine must not make them look so.
        "--node-monitor-grace-period=10m",
        *NO_SERVER,
        *REQUEST_RATE,
    ]


def _scheduler(_record: Record, folder: Folder) -> list[str]:
    return [f"--kubeconfig={folder.component_kubeconfig('kube-scheduler')}", *NO_SERVER, *REQUEST_RATE]


def _kwok(_record: Record, folder: Folder) -> list[str]:
    return [
        f"--kubeconfig={folder.component_kubeconfig('kwok')}",
        f"--config={STAGES}",
        "--manage-all-nodes=true",
        f"--cidr={POD_RANGE}",
        f"--node-ip={LOOPBACK}",
        "--node-lease-duration-seconds=40",
    ]


_ARGUMENTS: dict[str, Callable[[Record, Folder], list[str]]] = {
    "etcd": _etcd,
    "kube-apiserver": _apiserver,
    "kube-controller-manager": _controllers,
    "kube-scheduler": _scheduler,
    "kwok": _kwok,
}
