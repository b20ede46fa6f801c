"""What the benchmarks make of the files that `--data` names."""

from pathlib import Path

import pytest

from benchmarks.scraping.capture import largest, rows, several_ranks
from benchmarks.scraping.files import NoCaptureError, exposition, files

VLLM = '# TYPE vllm:n gauge\nvllm:n{engine="0"} 1\n'
TGI = '# TYPE tgi_n gauge\ntgi_n 1\ntgi_m{x="y"} 2\ntgi_o{} 3\n'


@pytest.mark.parametrize(
    "content, expected",
    [
        pytest.param(TGI, TGI, id="an exposition"),
        pytest.param(TGI.rstrip("\n"), TGI, id="without its last newline"),
        pytest.param(f"HTTP/1.1 200 OK\r\nA: b\r\n\r\n{TGI}", TGI, id="behind an HTTP head"),
        pytest.param(f"HTTP/1.1 200 OK\nA: b\n\n{TGI}", TGI, id="behind a head of plain lines"),
        pytest.param("# TYPE a counter\na_total 1\n# EOF\n", None, id="OpenMetrics"),
    ],
)
def test_an_exposition_is_found_in_a_file(
    content: str, expected: str | None, tmp_path: Path
) -> None:
    (tmp_path / "capture").write_bytes(content.encode())
    assert exposition(tmp_path / "capture") == (expected or content)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b'{"completed": 64}\n', id="JSON"),
        pytest.param(b"- SGLang: seen here, it says\n", id="prose"),
        pytest.param(b"\x89PNG\r\n\x1a\n\x00\xff", id="bytes"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"# HELP a b\n", id="no row"),
        pytest.param(b"a 1\nb", id="an exposition that was cut off"),
    ],
)
def test_a_file_that_is_no_exposition_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(NoCaptureError):
        exposition(tmp_path / "file")


def test_data_is_a_file_or_all_that_a_folder_holds(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (below / "capture.txt").write_text(VLLM)
    assert files(tmp_path) == [below / "capture.txt"]
    assert files(below / "capture.txt") == [below / "capture.txt"]


def test_of_a_folder_vllms_largest_capture_is_played(tmp_path: Path) -> None:
    for name, content in {"a.prom": VLLM, "b.prom": TGI, "c.json": "{}"}.items():
        (tmp_path / name).write_text(content)
    assert largest(tmp_path) == (tmp_path / "a.prom", VLLM)
    assert largest(tmp_path / "b.prom") == (tmp_path / "b.prom", TGI)


@pytest.mark.parametrize("name", ["c.json", "missing", "."])
def test_nothing_to_play_is_said(name: str, tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text("{}")
    with pytest.raises(NoCaptureError):
        largest(tmp_path / name)


@pytest.mark.parametrize("text", [VLLM, TGI], ids=["with ranks", "without ranks"])
def test_a_capture_is_made_as_large_as_wanted_without_a_series_twice(text: str) -> None:
    said = several_ranks(text, series=10)
    series = [line.rpartition(" ")[0] for line in said.splitlines() if line[0] != "#"]
    assert rows(said) == len(set(series)) >= 10
