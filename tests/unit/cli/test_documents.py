"""Reading the files that people apply."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from threeport.cli.documents import read_documents
from threeport.cli.errors import CliError

WORKLOAD = """\
apiVersion: threeport.io/v1alpha1
kind: Workload
metadata: {name: %s}
spec:
  manifests: [%s]
"""


def test_several_documents_of_a_file_come_in_order_and_say_where_they_stand(tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text("---\n".join(WORKLOAD % (name, "{}") for name in "ab") + "---\n\n---\n")
    found = read_documents([str(file)])
    assert [document.obj["metadata"]["name"] for document in found] == ["a", "b"]
    assert found[1].origin == f"{file}, document 2, line 7"


def test_a_manifest_that_is_a_path_is_replaced_by_the_text_of_the_file_beside(tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text("kind: Secret\n")
    (tmp_path / "w.yaml").write_text(WORKLOAD % ("w", "app.yaml, ./app.yaml, {kind: Inline}"))
    [document] = read_documents([str(tmp_path / "w.yaml")])
    assert document.obj["spec"]["manifests"] == ["kind: Secret\n", "kind: Secret\n", {"kind": "Inline"}]
    assert [index for index, _ in document.inlined] == [0, 1]


def test_text_that_is_yaml_is_never_taken_for_a_path(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text(WORKLOAD % ("w", '"kind: Secret # see a.yaml", "a: b.yaml"'))
    [document] = read_documents([str(tmp_path / "w.yaml")])
    assert document.inlined == ()


def test_of_a_directory_the_files_that_others_name_are_not_objects_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text("kind: Secret\n")
    (tmp_path / "w.yaml").write_text(WORKLOAD % ("w", "app.yaml"))
    (tmp_path / "README.md").write_text("no object")
    assert [document.obj["kind"] for document in read_documents([str(tmp_path)])] == ["Workload"]


def test_a_list_is_taken_apart(tmp_path: Path) -> None:
    file = tmp_path / "list.json"
    file.write_text('{"kind": "List", "items": [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}]}')
    assert [document.obj["kind"] for document in read_documents([str(file)])] == ["Namespace"]


def test_a_dash_reads_stdin_and_paths_are_relative_to_the_working_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "app.yaml").write_text("kind: Secret\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO(WORKLOAD % ("w", "app.yaml")))
    [document] = read_documents(["-"])
    assert document.obj["spec"]["manifests"] == ["kind: Secret\n"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: [", "line 2"),
        ("- 1", "found a list"),
        ("kind: Workload", "no apiVersion"),
        ("{apiVersion: v1, kind: Namespace}", "no metadata.name"),
        (WORKLOAD % ("w", "missing.yaml"), "missing.yaml, which is no file"),
        ("", "no object"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_a_sentence_that_names_it(
    tmp_path: Path, content: str, message: str
) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(content)
    with pytest.raises(CliError, match=message) as caught:
        read_documents([str(file)])
    assert str(file) in str(caught.value)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CliError, match="No such file"):
        read_documents([str(tmp_path / "nothing.yaml")])


def test_an_empty_name_is_not_the_working_directory_whose_objects_would_be_deleted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "w.yaml").write_text(WORKLOAD % ("w", "{}"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CliError, match="names no file"):
        read_documents([""])


def test_what_is_no_text_is_said_of_stdin_as_of_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_bytes(b"a: \xff")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a: \xff"), encoding="utf-8"))
    for source in ("-", str(tmp_path / "w.yaml")):
        with pytest.raises(CliError, match="cannot be read"):
            read_documents([source])
