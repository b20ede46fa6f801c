"""Mistakes in `serve.drift:` are found before anything is started."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from tidegauge.config.drift import DriftConfig


def mistake(**fields: object) -> str:
    with pytest.raises(ValidationError) as caught:
        DriftConfig.model_validate(fields)
    return str(caught.value)


@pytest.mark.parametrize("below", ["", "deep/er"], ids=["itself", "above it"])
def test_a_directory_with_a_file_in_its_way_is_refused(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("")
    assert "file is a file" in mistake(directory=tmp_path / "file" / below)


def test_a_directory_that_is_not_there_yet_is_taken(tmp_path: Path) -> None:
    assert DriftConfig(directory=tmp_path / "new" / "er").directory == tmp_path / "new" / "er"


def test_a_refresh_without_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "reference.json").write_text("")
    text = mistake(references=[tmp_path / "reference.json"], refresh="30d")
    assert "refresh: needs directory" in text
