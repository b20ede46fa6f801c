"""Digests of a model's files: what they see, what they don't, and what is read again."""

import hashlib
import os
from pathlib import Path

import pytest

from tidegauge.sources.environment.fingerprint import SAMPLE_BYTES, Fingerprints

MIB = 1024 * 1024


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "original").mkdir(parents=True)
    (folder / ".cache").mkdir()
    (folder / "model-00001-of-00002.safetensors").write_bytes(b"A" * 5)
    (folder / "model-00002-of-00002.safetensors").write_bytes(b"B" * (3 * MIB))
    (folder / "original" / "consolidated.pth").write_bytes(b"C")
    (folder / ".cache" / "half.safetensors").write_bytes(b"?")
    (folder / "config.json").write_text("{}")
    (folder / "tokenizer.json").write_text('{"vocab": {}}')
    (folder / "README.md").write_text("not part of it")
    return folder


def digest(*files: tuple[str, int, bytes]) -> str:
    whole = hashlib.sha256()
    for name, size, content in files:
        whole.update(f"{name}\0{size}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return whole.hexdigest()


def test_the_formula_is_the_documented_one(model: Path) -> None:
    assert Fingerprints(model).read() == {
        "weights": digest(
            ("model-00001-of-00002.safetensors", 5, b"A" * 5),
            ("model-00002-of-00002.safetensors", 3 * MIB, b"B" * (2 * MIB)),
            ("original/consolidated.pth", 1, b"C"),
        ),
        "config": digest(("config.json", 2, b"{}")),
        "tokenizer": digest(("tokenizer.json", 13, b'{"vocab": {}}')),
    }


def altered(path: Path, offset: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(b"!")


@pytest.mark.parametrize(
    "offset, seen",
    [
        pytest.param(0, True, id="the first byte"),
        pytest.param(SAMPLE_BYTES - 1, True, id="the end of the first MiB"),
        pytest.param(SAMPLE_BYTES, False, id="the middle, as documented"),
        pytest.param(2 * SAMPLE_BYTES, True, id="the beginning of the last MiB"),
        pytest.param(3 * MIB - 1, True, id="the last byte"),
    ],
)
def test_which_altered_bytes_of_large_weights_show(model: Path, offset: int, seen) -> None:
    prints = Fingerprints(model)
    before = prints.read()
    altered(model / "model-00002-of-00002.safetensors", offset)
    after = prints.read()
    assert (after["weights"] != before["weights"]) is seen
    assert after["tokenizer"] == before["tokenizer"]


def test_a_changed_tokenizer_is_the_tokenizer_s_change_alone(model: Path) -> None:
    prints = Fingerprints(model)
    before = prints.read()
    (model / "tokenizer.json").write_text('{"vocab": []}')  # of the same size
    after = prints.read()
    assert [group for group in before if before[group] != after[group]] == ["tokenizer"]


def test_a_renamed_or_removed_file_shows(model: Path) -> None:
    prints = Fingerprints(model)
    seen = {prints.read()["weights"]}
    first = model / "model-00001-of-00002.safetensors"
    first.rename(model / "renamed.safetensors")
    seen.add(prints.read()["weights"])
    (model / "renamed.safetensors").unlink()
    seen.add(prints.read()["weights"])
    assert len(seen) == 3


def test_what_has_not_changed_is_not_read_again(model: Path) -> None:
    prints = Fingerprints(model)
    before = prints.read()
    path = model / "tokenizer.json"
    seen = path.stat()
    path.write_text('{"vocab": []}')
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))  # size, time and inode are as before
    assert prints.read() == before
    assert Fingerprints(model).read() != before


def test_a_single_file_is_weights(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF")
    assert Fingerprints(path).read() == {"weights": digest(("model.gguf", 4, b"GGUF"))}


def test_symbolic_links_are_followed_as_in_a_hub_cache(model: Path, tmp_path: Path) -> None:
    snapshot = tmp_path / "snapshot"
    snapshot.mkdir()
    for name in ("config.json", "tokenizer.json"):
        (snapshot / name).symlink_to(model / name)
    there = Fingerprints(model).read()
    assert Fingerprints(snapshot).read() == {g: there[g] for g in ("config", "tokenizer")}


@pytest.mark.parametrize(
    "break_it",
    [
        pytest.param(lambda model: (model / "config.json").unlink(), id="a link to nothing"),
        pytest.param(lambda model: (model / "config.json").rename(model / "x"), id="moved away"),
    ],
)
def test_a_file_that_can_not_be_read_means_that_nothing_is_known(
    break_it, model: Path, tmp_path: Path
) -> None:
    snapshot = tmp_path / "snapshot"
    snapshot.mkdir()
    (snapshot / "config.json").symlink_to(model / "config.json")
    (snapshot / "tokenizer.json").write_text("{}")
    break_it(model)
    with pytest.raises(FileNotFoundError):
        Fingerprints(snapshot).read()


def test_no_files_no_folder_and_too_many_files_are_errors(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no files of a model"):
        Fingerprints(tmp_path).read()
    with pytest.raises(FileNotFoundError):
        Fingerprints(tmp_path / "gone").read()
    for number in range(3):
        (tmp_path / f"{number}.safetensors").touch()
    with pytest.raises(OSError, match="more than 2 files"):
        Fingerprints(tmp_path, max_files=2).read()


def test_reading_ends_when_it_is_told_to(model: Path) -> None:
    with pytest.raises(InterruptedError):
        Fingerprints(model).read(lambda: True)
