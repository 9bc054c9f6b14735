"""Images made without a container engine are what docker and containerd expect."""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from pathlib import Path

from tests.cluster.programs import GO_MODULE as CLUSTER_MODULE
from tests.kind.archive import Image, layer, write_images
from tests.kind.programs import GO_MODULE


def make(folder: Path, name: str) -> Path:
    """An archive of two images that share a layer."""
    below, above, archive = folder / "below.tar", folder / "above.tar", folder / name
    with layer(below) as content:
        content.file("bin/sh", b"#!", mode=0o755)
        content.link("bin/ls", "sh")
        content.directory("tmp", mode=0o1777)
    with layer(above) as content:
        content.file("etc/hello", "hello\n")
    write_images(archive, [Image(["a:1"], [below]), Image(["b:1", "b:2"], [below, above], command=["/bin/sh"])])
    return archive


def test_every_image_names_its_layers_and_each_layer_is_there_once(tmp_path: Path) -> None:
    with tarfile.open(make(tmp_path, "images.tar")) as archive:
        names = archive.getnames()
        first, second = json.load(archive.extractfile("manifest.json"))
        assert [first["RepoTags"], second["RepoTags"]] == [["a:1"], ["b:1", "b:2"]]
        assert first["Layers"] == second["Layers"][:1]
        assert sorted(names) == sorted({*second["Layers"], first["Config"], second["Config"], "manifest.json"})


def test_the_configuration_says_the_digest_of_each_layer(tmp_path: Path) -> None:
    with tarfile.open(make(tmp_path, "images.tar")) as archive:
        second = json.load(archive.extractfile("manifest.json"))[1]
        configuration = json.load(archive.extractfile(second["Config"]))
        digests = [hashlib.sha256(archive.extractfile(path).read()).hexdigest() for path in second["Layers"]]
    assert configuration["rootfs"]["diff_ids"] == [f"sha256:{digest}" for digest in digests]
    assert configuration["config"]["Cmd"] == ["/bin/sh"]


def test_files_have_the_modes_and_targets_given(tmp_path: Path) -> None:
    make(tmp_path, "images.tar")
    with tarfile.open(tmp_path / "below.tar") as content:
        assert content.getmember("bin/sh").mode == 0o755
        assert content.getmember("bin/ls").linkname == "sh"
        assert content.getmember("tmp").isdir()


def test_the_node_and_the_control_plane_are_of_one_version() -> None:
    versions = [
        re.findall(r"^\s+(?:\S+ => )?(k8s\.io/\S+) (v\S+)", (folder / "go.mod").read_text(), re.MULTILINE)
        for folder in (GO_MODULE, CLUSTER_MODULE)
    ]
    ours, theirs = (dict(found) for found in versions)
    assert ours["k8s.io/kubernetes"] == theirs["k8s.io/kubernetes"]
    assert ours["k8s.io/kubelet"] == theirs["k8s.io/kubelet"]
