import textwrap

import pytest

from tidegauge.errors.records import Joiner, Record


def records(text: str) -> list[tuple[str, str, str]]:
    joiner = Joiner()
    found = [one for line in textwrap.dedent(text).splitlines() for one in joiner.feed(line)]
    return [(one.level, one.message, one.ending) for one in (*found, *joiner.flush())]


def test_a_python_traceback_is_one_record_and_keeps_only_the_exception() -> None:
    assert records(
        """\
        ERROR:    Exception in ASGI application
        Traceback (most recent call last):
          File "/app/a.py", line 3, in run
            secret = prompt
        KeyError: 'x'

        During handling of the above exception, another exception occurred:

        Traceback (most recent call last):
          File "/app/b.py", line 4, in run
        module.ValueError: bad
        INFO:     started
        """
    ) == [
        ("error", "Exception in ASGI application", "module.ValueError: bad"),
        ("info", "started", ""),
    ]


def test_a_traceback_whose_every_line_is_stamped_is_one_record() -> None:
    stamp = "ERROR 08-11 12:00:00 [core.py:700] "
    lines = (
        "EngineCore failed to start.",
        "Traceback (most recent call last):",
        '  File "/a.py", line 1, in f',
        "    x = y",
        "torch.OutOfMemoryError: CUDA out of memory.",
    )
    assert records("\n".join(stamp + line for line in lines)) == [
        ("error", "EngineCore failed to start.", "torch.OutOfMemoryError: CUDA out of memory.")
    ]


def test_two_messages_of_one_moment_are_two_records() -> None:
    stamp = "ERROR 08-11 12:00:00 [core.py:700] "
    assert len(records(f"{stamp}one\n{stamp}two\n")) == 2


def test_a_bare_traceback_is_known_by_its_exception() -> None:
    assert records(
        """\
        Traceback (most recent call last):
          File "a.py", line 1, in <module>
        RuntimeError: CUDA error: device-side assert triggered
        CUDA kernel errors might be asynchronously reported
        next line
        """
    ) == [
        ("error", "", "RuntimeError: CUDA error: device-side assert triggered"),
        ("error", "CUDA kernel errors might be asynchronously reported", ""),
        ("unknown", "next line", ""),
    ]


def test_a_traceback_below_a_message_of_no_harm_is_a_record_of_its_own() -> None:
    text = "INFO:     fine\nTraceback (most recent call last):\n  File\nOSError: no\n"
    assert records(text) == [("info", "fine", ""), ("error", "", "OSError: no")]


@pytest.mark.parametrize("level", ["INFO", "ERROR"])
def test_what_follows_a_message_without_a_stamp_is_dropped(level: str) -> None:
    text = f"{level}:    request: tell me\nall about the failed error\nof yesterday\n"
    assert [one[1] for one in records(text)] == ["request: tell me"]


@pytest.mark.parametrize(
    "line",
    [
        "terminate called after throwing an instance of 'c10::Error'",
        "Segmentation fault (core dumped)",
        "Fatal Python error: Aborted",
        "torch.OutOfMemoryError: CUDA out of memory.",
    ],
)
def test_native_code_that_dies_is_a_record_of_its_own(line: str) -> None:
    assert [one[1] for one in records(f"INFO:     fine\n{line}\n")] == ["fine", line]


def test_lines_that_say_nothing_of_themselves_are_one_record_each() -> None:
    text = "llama_model_load: error loading model\nllama: fine\n  and indented\n\n"
    assert [one[:2] for one in records(text)] == [
        ("error", "llama_model_load: error loading model"),
        ("unknown", "llama: fine"),
    ]


def test_a_records_repr_has_no_text() -> None:
    assert "secret" not in repr(Record("error", "secret", "secret"))
