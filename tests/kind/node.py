"""The image of a node: Debian's packages, kind's own files, and the built programs."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.cluster import programs as cluster_programs
from tests.cluster.directories import exclusive
from tests.cluster.errors import ClusterError
from tests.kind import images
from tests.kind.archive import SEARCH_PATH, Image, Layer, layer, write_images
from tests.kind.programs import Report, cache, kubernetes, locate

SUITE = "bookworm"
PACKAGES = (
    "bash", "ca-certificates", "conntrack", "containerd", "containernetworking-plugins", "curl", "e2fsprogs", "ethtool",
    "hostname", "iproute2", "iptables", "jq", "kmod", "mount", "nftables", "pigz", "procps", "runc", "systemd",
    "systemd-sysv", "util-linux",
)  # fmt: skip
"""What kind's base image has, as far as it is used here."""

TIDY = """
    rm -f "$1"/lib/systemd/system/multi-user.target.wants/* "$1"/etc/systemd/system/*.wants/*
    rm -f "$1"/lib/systemd/system/local-fs.target.wants/* "$1"/lib/systemd/system/basic.target.wants/*
    rm -f "$1"/lib/systemd/system/sockets.target.wants/*udev* "$1"/lib/systemd/system/sockets.target.wants/*initctl*
    rm -f "$1"/lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service
    echo ReadKMsg=no >> "$1"/etc/systemd/journald.conf
"""
"""Takes out the services that kind's Dockerfile takes out too."""

SERVICES = ("containerd", "kubelet", "kube-proxy", "undo-mount-hacks")
FILES = Path(__file__).parent / "node"
PODS = "10.244.0.0/16"


def image_name() -> str:
    """The name that the image has in docker."""
    return f"threeport/kind-node:{_key()}"


def write_node_image(*, report: Report) -> Path:
    """The archive of the node image, made if it is absent. Raises ClusterError."""
    archive = cache() / f"node-{_key()}.tar"
    with exclusive(cache()):
        if not archive.exists():
            root = _debian(report)
            report("writing the node image ...")
            with TemporaryDirectory(dir=cache()) as folder:
                upper = Path(folder) / "upper.tar"
                _write_upper_layer(upper, Path(folder))
                unfinished = Path(folder) / "image.tar"
                write_images(unfinished, [_image([root, upper])])
                unfinished.replace(archive)
    return archive


def _image(layers: list[Path]) -> Image:
    return Image(
        [image_name()],
        layers,
        entrypoint=["/usr/local/bin/entrypoint", "/sbin/init"],
        # systemd looks for this (https://systemd.io/CONTAINER_INTERFACE) and ends on that signal.
        environment=[SEARCH_PATH, "container=docker"],
        settings={"StopSignal": "SIGRTMIN+3"},
    )


def _debian(report: Report) -> Path:
    root = cache() / f"debian-{SUITE}-{_digest(*PACKAGES, TIDY)}.tar"
    if not root.exists():
        if not shutil.which("mmdebstrap"):
            raise ClusterError("mmdebstrap is missing. Run: apt-get install mmdebstrap")
        report(f"installing {len(PACKAGES)} packages of Debian {SUITE} ...")
        unfinished = root.with_suffix(".unfinished.tar")
        # It takes the packages from wherever this machine's apt does.
        command = ["mmdebstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", f"--customize-hook={TIDY}"]
        command += ["--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*"]
        sources = [str(path) for path in _sources()]
        answer = subprocess.run(
            [*command, SUITE, str(unfinished), *sources], capture_output=True, text=True, check=False
        )
        if answer.returncode:
            raise ClusterError(f"mmdebstrap failed: {answer.stderr.strip()[-2000:]}")
        unfinished.replace(root)
    return root


def _sources() -> list[Path]:
    """apt's own lists of Debian's repositories."""
    folder = Path("/etc/apt")
    found = [folder / "sources.list", *(folder / "sources.list.d").glob("debian.sources")]
    return [path for path in found if path.is_file() and path.stat().st_size]


def _write_upper_layer(destination: Path, folder: Path) -> None:
    cluster_images = folder / "images.tar"
    images.write_cluster_images(cluster_images)
    with layer(destination) as content:
        _add_files_of_kind(content)
        for program in ("kubeadm", "kubelet", "kubectl", "kube-proxy"):
            content.file(f"usr/bin/{program}", locate(program), mode=0o755)
        content.link("usr/local/bin/containerd", "/usr/bin/containerd")
        content.link("opt/cni/bin", "/usr/lib/cni")
        content.file("kind/version", kubernetes())
        content.file("kind/images.tar", cluster_images)
        content.file("kind/bin/load-images.sh", FILES / "load-images.sh", mode=0o755)
        content.file("usr/local/sbin/runc", FILES / "runc", mode=0o755)
        content.file("etc/cni/net.d/10-bridge.conflist", FILES / "bridge.conflist")
        content.file("etc/systemd/system/kube-proxy.service", FILES / "kube-proxy.service")
        content.file("etc/systemd/system/containerd.service.d/images.conf", FILES / "images.conf")
        content.file("etc/systemd/system/kubelet.service.d/20-images.conf", FILES / "after-containerd.conf")
        content.directory("etc/kubernetes/manifests")
        content.link("etc/systemd/system/systemd-binfmt.service", "/dev/null")
        for service in SERVICES:
            unit = f"{service}.service"
            content.link(f"etc/systemd/system/multi-user.target.wants/{unit}", f"/etc/systemd/system/{unit}")


def _add_files_of_kind(content: Layer) -> None:
    folder = _module_of_kind() / "images" / "base" / "files"
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file() and name != "etc/containerd/config.toml":
            executable = "/bin/" in f"/{name}"
            content.file(name, path, mode=0o755 if executable else 0o644)
    content.file("etc/containerd/config.toml", _containerd_configuration(folder))


def _containerd_configuration(folder: Path) -> str:
    text = (folder / "etc" / "containerd" / "config.toml").read_text()
    # Without CAP_SYS_RESOURCE no process may protect itself from the killer of processes when memory runs out.
    text = text.replace("restrict_oom_score_adj = false", "restrict_oom_score_adj = true")
    # What that file would add, the product's UUID, nothing here asks for.
    return text.replace('base_runtime_spec = "/etc/containerd/cri-base.json"', "")


def _module_of_kind() -> Path:
    command = ["go", "list", "-m", "-mod=readonly", "-f", "{{.Dir}}", "sigs.k8s.io/kind"]
    answer = subprocess.run(command, cwd=cluster_programs.GO_MODULE, capture_output=True, text=True, check=True)
    return Path(answer.stdout.strip())


def _key() -> str:
    programs = [str(locate(name)) for name in ("kubeadm", "kube-apiserver")]
    ours = [*sorted(FILES.iterdir()), *(Path(__file__).parent / name for name in ("node.py", "images.py"))]
    return _digest(*programs, *(path.read_text() for path in ours))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]
