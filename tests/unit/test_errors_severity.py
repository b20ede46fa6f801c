import pytest

from tidegauge.errors.container import unwrapped
from tidegauge.errors.severity import head_of


@pytest.mark.parametrize(
    "line,level,message",
    [
        ("0.00.003.902 W srv          init: security", "warning", "srv          init: security"),
        ("INFO 07-14 10:12:13 [loggers.py:118] Engine 000: Avg", "info", "Engine 000: Avg"),
        ("(EngineCore_0 pid=7) ERROR 08-11 12:00:00 [core.py:700] no", "error", "no"),
        ("(APIServer pid=1) (x) CRITICAL 08-11 12:00:00 [a.py:1] no", "fatal", "no"),
        ('INFO:     127.0.0.1:5 - "GET / HTTP/1.1" 200 OK', "info", None),
        ("WARNING:  Invalid HTTP request received.", "warning", "Invalid HTTP request received."),
        ("ERROR:vllm.engine:it broke", "error", "it broke"),
        ("[2026-01-01 12:00:00 TP0] KV cache pool is full.", "unknown", "KV cache pool is full."),
        ("[2026-01-01 12:00:00] Prefill failed", "error", "Prefill failed"),
        ("[2026-01-01 12:00:00 +0000] [12] [ERROR] Worker died", "error", "Worker died"),
        ("2026-01-01 12:00:00,123 - root - WARNING - slow", "warning", "slow"),
        (
            "2026-01-01T12:00:00.123456Z  WARN router::server: slow",
            "warning",
            "router::server: slow",
        ),
        ("2026-01-01 12:00:00.123 | ERROR    | app:run:7 - no", "error", "app:run:7 - no"),
        ('E0711 12:34:56.123456 123 model.cc:12] "failed to load"', "error", "failed to load"),
        ("W20260711 is no head", None, None),
        ("[rank1]:[E1017 12:00:00.1 ProcessGroupNCCL.cpp:607] late", "error", "late"),
        ("[W socket.cpp:601] [c10d] retry", "warning", "[c10d] retry"),
        ("[TensorRT-LLM][ERROR] Assertion failed", "error", "Assertion failed"),
        ("[07/11/2026-12:00:00] [TRT-LLM] [W] slow", "warning", "slow"),
        ("node7:12:13 [0] NCCL WARN Call to connect failed", "warning", "Call to connect failed"),
        ("node7:12:13 [0] misc/socket.cc:1 NCCL WARN no", "warning", "no"),
        ("Jul 11 12:00:00 n kernel: [1.2] NVRM: Xid (PCI:0): 79", "error", "NVRM: Xid (PCI:0): 79"),
        (
            'time=2026-01-01T12:00:00Z level=ERROR source=a.go:1 msg="no luck" k=v',
            "error",
            "no luck",
        ),
        ('{"level":"ERROR","fields":{"message":"no"},"target":"t"}', "error", "no"),
        ('{"levelname": "warning", "msg": "slow"}', "warning", "slow"),
        ('{"severity": "CRITICAL", "message": "dead"}', "fatal", "dead"),
        ('{"message": "it failed"}', "error", "it failed"),
        ('{"level": 50, "message": "it failed"}', "error", "it failed"),
        ("\x1b[31mERROR\x1b[0m:    boom", "error", "boom"),
        ('{"choices": []}', None, None),
        ("{broken", None, None),
        ("[1, 2]", None, None),
        ("just words", None, None),
        ("", None, None),
    ],
)
def test_a_line_of_each_format_says_how_bad_it_is(line: str, level, message) -> None:
    head = head_of(line)
    assert (head.level if head else None) == level
    if message is not None:
        assert head
        assert head.message == message


def test_a_json_lines_traceback_ends_in_the_exception() -> None:
    head = head_of(
        '{"level":"error","message":"no","exc_info":"Traceback (most recent call last):\\n  File'
        ' \\"a\\", line 1\\nValueError: bad"}'
    )
    assert head
    assert head.ending == "ValueError: bad"


def test_a_heads_repr_has_no_text() -> None:
    assert "boom" not in repr(head_of("ERROR:    boom"))


@pytest.mark.parametrize(
    "line,text,whole",
    [
        ("2026-07-11T12:00:00.123456789Z stderr F ERROR:   no", "ERROR:   no", True),
        ("2026-07-11T12:00:00.123456789+02:00 stdout P half", "half", False),
        ('{"log":"one\\n","stream":"stderr","time":"2026"}', "one", True),
        ('{"log":"half","stream":"stderr","time":"2026"}', "half", False),
        ('{"log":7}', '{"log":7}', True),
        ('{"log":"broken', '{"log":"broken', True),
        ("plain", "plain", True),
    ],
)
def test_what_a_container_wraps_around_a_line_is_taken_off(line, text, whole) -> None:
    piece = unwrapped(line)
    assert (piece.text, piece.whole) == (text, whole)


@pytest.mark.parametrize(
    "line",
    [
        "2026-01-01 12:00:00 " + "a" * 300,
        "2026-01-01 12:00:00 " + "a-" * 150,
        "[2026-01-01 12:00:00] " + "a-|" * 150,
        "[2026-01-01 12:00:00" + " a" * 5000,
        "2026-01-01 12:00:00 " + "a:" * 300,
        "(" + "a" * 79 + ") " + "(a) " * 50,
        "[T" + "a" * 30_000,
        "a.b" * 9000 + ":1:1 [0] ",
        "a=b " * 5000 + "level",
        "\x1b[" + "0;" * 10_000,
        '{"a":' * 5000,
        "a." * 10_000 + "NVRM: Xid ",
    ],
    ids=lambda line: line[:30],
)
@pytest.mark.timeout(20)  # the first took 40 s once
def test_a_line_that_is_made_to_be_slow_is_not(line: str) -> None:
    head = head_of(line)
    assert head is None or head.level != "fatal"
