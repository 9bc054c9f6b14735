"""The images that a cluster starts with: the control plane, and stand-ins for what the tests run.

No registry is reached, so the names that manifests of the tests and samples carry are given to small images around
busybox that do about what those would: answer HTTP, wait, or run a command.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.cluster.errors import ClusterError
from tests.kind.archive import Image, layer, write_images
from tests.kind.programs import kubernetes, locate

BUSYBOX = Path("/bin/busybox")
"""Debian's busybox-static."""

IDLE = ("/bin/sh", "-c", "trap 'exit 0' TERM INT; sleep 2147483647 & wait")


def serving(port: int) -> tuple[str, ...]:
    """Answers HTTP. As the first process of a container httpd itself would not hear the signal to end."""
    return ("/bin/sh", "-c", f"trap 'exit 0' TERM INT; httpd -f -p {port} -h /www & wait")


PAUSE = "registry.k8s.io/pause:3.10"
"""The sandbox image that kind's configuration of containerd names."""

STAND_INS = {
    ("docker.io/library/busybox:1.36",): ("/bin/sh",),
    (PAUSE,): IDLE,
    ("docker.io/library/nginx:1.27", "docker.io/library/wordpress:6-apache"): serving(80),
    ("docker.io/library/mysql:8.4",): serving(3306),
}


def write_cluster_images(destination: Path) -> None:
    """Write one archive with all of them. Raises ClusterError."""
    with TemporaryDirectory() as folder:
        images = [*_control_plane(Path(folder)), *_stand_ins(Path(folder))]
        write_images(destination, images)


def _control_plane(folder: Path) -> list[Image]:
    images = []
    for name, program in _required().items():
        path = folder / f"{program}.tar"
        with layer(path) as content:
            content.directory("tmp", mode=0o1777)
            content.file(f"usr/local/bin/{program}", locate(program), mode=0o755)
        images.append(Image([name], [path], entrypoint=[f"/usr/local/bin/{program}"]))
    return images


def _required() -> dict[str, str]:
    """The images that kubeadm asks for, and the program of each."""
    command = [str(locate("kubeadm")), "config", "images", "list", "--kubernetes-version", kubernetes()]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    programs = {name: name.rpartition("/")[2].partition(":")[0] for name in names}
    # kube-proxy runs as a service of the node, and the sandbox image is a stand-in.
    return {name: program for name, program in programs.items() if program not in ("kube-proxy", "pause")}


def _stand_ins(folder: Path) -> list[Image]:
    if not BUSYBOX.exists():
        raise ClusterError("busybox is missing. Run: apt-get install busybox-static")
    applets = subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True).stdout.split()
    path = folder / "busybox.tar"
    with layer(path) as content:
        content.directory("tmp", mode=0o1777)
        content.file("bin/busybox", BUSYBOX, mode=0o755)
        for applet in (name for name in applets if name != BUSYBOX.name):
            content.link(f"bin/{applet}", "busybox")
        for page in ("index.html", "wp-login.php"):
            content.file(f"www/{page}", "It works.\n")
        content.file("etc/passwd", "root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n")
    return [Image(names, [path], command=command) for names, command in STAND_INS.items()]
