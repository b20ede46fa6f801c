"""Which alerts a real Alertmanager holds back while another one says it all."""

import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest

from tests.haproxy import free_port

Labels = dict[str, str]
Pair = tuple[Labels, Labels]  # while the first fires, the second is held back, or is not
States = Callable[[Labels], str]

READY_SECONDS = 20
SETTLE_SECONDS = 10

HELD: dict[str, Pair] = {
    "a sidecar that is down holds back its engine": (
        {"alertname": "TidegaugeTargetDown", "instance": "a:1"},
        {"alertname": "LLMEngineDown", "instance": "a:1"},
    ),
    "an engine that is down holds back the source that reads it": (
        {"alertname": "LLMEngineDown", "instance": "c:1"},
        {"alertname": "TidegaugeSourceDown", "instance": "c:1", "source": "engine"},
    ),
    "a lost GPU holds back the source that reads it": (
        {"alertname": "LLMGPULost", "instance": "e:1"},
        {"alertname": "TidegaugeSourceDown", "instance": "e:1", "source": "gpu"},
    ),
    "a sidecar that is down holds back its checks": (
        {"alertname": "TidegaugeTargetDown", "instance": "m:1"},
        {"alertname": "LLMHealthCheckFailing", "instance": "m:1", "check": "disk"},
    ),
    "a lost GPU explains why the process that reads it does not stay up": (
        {"alertname": "LLMGPULost", "instance": "n:1", "gpu": "0"},
        {"alertname": "TidegaugeNvmlRestarting", "instance": "n:1", "reason": "lost"},
    ),
    "an Xid that pages says why the GPU is lost": (
        {"alertname": "LLMGPUXidError", "instance": "o:1", "gpu": "0", "severity": "page"},
        {"alertname": "LLMGPULost", "instance": "o:1", "gpu": "0"},
    ),
    "an empty pool is below its size": (
        {"alertname": "LLMPoolEmpty", "pool": "f"},
        {"alertname": "LLMPoolBelowDesired", "pool": "f"},
    ),
    "a pool at its maximum explains its queue": (
        {"alertname": "LLMPoolAtMaximum", "pool": "h"},
        {"alertname": "LLMQueueGrowing", "pool": "h"},
    ),
    "a client that floods explains the queue": (
        {"alertname": "LLMClientFlooding", "pool": "r", "client": "00be711ffee8"},
        {"alertname": "LLMQueueGrowing", "pool": "r"},
    ),
    "an error budget that pages says that requests are turned away": (
        {"alertname": "LLMErrorBudgetBurning", "model": "s", "severity": "page"},
        {"alertname": "LLMRequestsRefused", "model": "s", "class": "overloaded"},
    ),
    "mixed references hold back drift from them": (
        {"alertname": "LLMDriftReferenceMixed", "model": "i"},
        {"alertname": "LLMInputDrift", "model": "i", "channel": "inputs"},
    ),
    "mixed references hold back drift of answers too": (
        {"alertname": "LLMDriftReferenceMixed", "model": "i2"},
        {"alertname": "LLMOutputDrift", "model": "i2", "channel": "outputs"},
    ),
    "other prompts have other answers": (
        {"alertname": "LLMInputDrift", "model": "i3", "channel": "inputs"},
        {"alertname": "LLMOutputDrift", "model": "i3", "channel": "outputs"},
    ),
    "a page holds back the ticket of the same name": (
        {"alertname": "LLMErrorBudgetBurning", "model": "j", "severity": "page"},
        {"alertname": "LLMErrorBudgetBurning", "model": "j", "severity": "ticket"},
    ),
    "latency beyond its objective says more than that it is unusual": (
        {"alertname": "LLMLatencyObjectiveBurning", "model": "s1", "severity": "page"},
        {"alertname": "LLMSignalAnomalous", "model": "s1", "signal": "time_to_first_token_p95"},
    ),
    "errors beyond their budget say more than that they are unusual": (
        {"alertname": "LLMErrorBudgetBurning", "model": "s2", "severity": "page"},
        {"alertname": "LLMSignalAnomalous", "model": "s2", "signal": "error_ratio"},
    ),
    "drift beyond its threshold says more than that it is unusual": (
        {"alertname": "LLMOutputDrift", "model": "s3", "channel": "outputs"},
        {
            "alertname": "LLMSignalAnomalous",
            "model": "s3",
            "channel": "outputs",
            "signal": "drift_score",
        },
    ),
    "dislike beyond its bound says more than that it is unusual": (
        {"alertname": "LLMFeedbackBad", "model": "s4", "version": "v2"},
        {"alertname": "LLMSignalAnomalous", "model": "s4", "signal": "feedback_bad_ratio"},
    ),
    "a queue that grows is unusually long": (
        {"alertname": "LLMQueueGrowing", "pool": "s5"},
        {"alertname": "LLMSignalAnomalous", "pool": "s5", "signal": "queue_time_p95"},
    ),
    "a pool at its maximum has a full cache": (
        {"alertname": "LLMPoolAtMaximum", "pool": "s8"},
        {"alertname": "LLMSignalAnomalous", "pool": "s8", "signal": "kv_cache_usage"},
    ),
    "an empty pool is unusual": (
        {"alertname": "LLMPoolEmpty", "pool": "s9"},
        {"alertname": "LLMSignalAnomalous", "pool": "s9", "signal": "tokens_per_replica"},
    ),
    "an empty pool measures nothing": (
        {"alertname": "LLMPoolEmpty", "pool": "s6"},
        {"alertname": "LLMSignalStale", "pool": "s6", "signal": "kv_cache_usage"},
    ),
    "a signal without answers is stale": (
        {"alertname": "TidegaugeSignalFailing", "instance": "s10:1", "signal": "queue_time_p95"},
        {"alertname": "LLMSignalStale", "pool": "s10", "signal": "queue_time_p95"},
    ),
    "a signal without answers has no past either": (
        {"alertname": "TidegaugeSignalFailing", "instance": "s7:1", "signal": "error_ratio"},
        {"alertname": "TidegaugeSignalsBackfilling", "instance": "s7:1"},
    ),
}

HEARD: dict[str, Pair] = {
    "a sidecar that is down says nothing of another one's engine": (
        {"alertname": "TidegaugeTargetDown", "instance": "b:1"},
        {"alertname": "LLMEngineDown", "instance": "b:2"},
    ),
    "an engine that is down says nothing of other sources": (
        {"alertname": "LLMEngineDown", "instance": "d:1"},
        {"alertname": "TidegaugeSourceDown", "instance": "d:1", "source": "drift"},
    ),
    "an Xid says nothing of another GPU": (
        {"alertname": "LLMGPUXidError", "instance": "p:1", "gpu": "0", "severity": "page"},
        {"alertname": "LLMGPULost", "instance": "p:1", "gpu": "1"},
    ),
    "an Xid that waits for the morning does not hide that the GPU is lost": (
        {"alertname": "LLMGPUXidError", "instance": "q:1", "gpu": "0", "severity": "ticket"},
        {"alertname": "LLMGPULost", "instance": "q:1", "gpu": "0"},
    ),
    "an empty pool says nothing of an engine outside pools": (
        {"alertname": "LLMPoolEmpty", "pool": "g"},
        {"alertname": "LLMEngineDown", "instance": "g:1"},
    ),
    "a client that floods one pool says nothing of another": (
        {"alertname": "LLMClientFlooding", "pool": "t", "client": "00be711ffee8"},
        {"alertname": "LLMQueueGrowing", "pool": "u"},
    ),
    "errors say nothing of latency": (
        {"alertname": "LLMErrorBudgetBurning", "model": "k", "severity": "page"},
        {"alertname": "LLMLatencyObjectiveBurning", "model": "k", "severity": "ticket"},
    ),
    "latency beyond its objective says nothing of errors that are unusual": (
        {"alertname": "LLMLatencyObjectiveBurning", "model": "h1", "severity": "page"},
        {"alertname": "LLMSignalAnomalous", "model": "h1", "signal": "error_ratio"},
    ),
    "drift of prompts says nothing of the score of answers": (
        {"alertname": "LLMInputDrift", "model": "h2", "channel": "inputs"},
        {
            "alertname": "LLMSignalAnomalous",
            "model": "h2",
            "channel": "outputs",
            "signal": "drift_score",
        },
    ),
    "other prompts to one model say nothing of another's answers": (
        {"alertname": "LLMInputDrift", "model": "h5", "channel": "inputs"},
        {"alertname": "LLMOutputDrift", "model": "h6", "channel": "outputs"},
    ),
    "other answers do not hide that the reference is old": (
        {"alertname": "LLMOutputDrift", "model": "h7", "channel": "outputs"},
        {"alertname": "LLMDriftReferenceOld", "model": "h7"},
    ),
    "a queue that grows says nothing of what is generated": (
        {"alertname": "LLMQueueGrowing", "pool": "h3"},
        {"alertname": "LLMSignalAnomalous", "pool": "h3", "signal": "tokens_per_replica"},
    ),
    "one signal that is unusual says nothing of another": (
        {"alertname": "LLMSignalAnomalous", "model": "h4", "signal": "error_ratio"},
        {"alertname": "LLMSignalAnomalous", "model": "h4", "signal": "inter_token_p95"},
    ),
    "a lost replica does not hide that its pool stays too small": (
        {"alertname": "LLMReplicaLost", "pool": "l", "reason": "died"},
        {"alertname": "LLMPoolBelowDesired", "pool": "l"},
    ),
}


@pytest.fixture(scope="module")
def alertmanager(
    tool: Callable[[str], str], build: ModuleType, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Base URL of an Alertmanager that runs the production configuration."""
    folder = tmp_path_factory.mktemp("alertmanager")
    assert build.main(["--out", str(folder)]) == 0
    address = f"127.0.0.1:{free_port()}"
    command = (
        tool("alertmanager"),
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    )
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log) as process,
    ):
        try:
            _wait_ready(f"http://{address}/-/ready", folder / "log")
            yield f"http://{address}"
        finally:
            process.kill()


@pytest.fixture(scope="module")
def state(alertmanager: str) -> States:
    """`active` or `suppressed`, by labels, with all pairs firing at once.

    Taken when every pair of HELD is settled: the last alerts posted are theirs, so the inhibitor
    has seen those of HEARD by then.
    """
    _post(alertmanager, [labels for pair in (*HEARD.values(), *HELD.values()) for labels in pair])
    deadline = time.monotonic() + SETTLE_SECONDS
    states = _states(alertmanager)
    while time.monotonic() < deadline and not _settled(states):
        time.sleep(0.05)
        states = _states(alertmanager)
    return lambda labels: states.get(frozenset(labels.items()), "absent")


@pytest.mark.parametrize("pair", HELD.values(), ids=HELD.keys())
def test_held_back(pair: Pair, state: States) -> None:
    assert (state(pair[0]), state(pair[1])) == ("active", "suppressed")


@pytest.mark.parametrize("pair", HEARD.values(), ids=HEARD.keys())
def test_not_held_back(pair: Pair, state: States) -> None:
    assert (state(pair[0]), state(pair[1])) == ("active", "active")


def _post(url: str, alerts: list[Labels]) -> None:
    ends = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    body = json.dumps([{"labels": labels, "endsAt": ends} for labels in alerts]).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/api/v2/alerts", data=body, headers=headers)
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.status == 200


def _states(url: str) -> dict[frozenset[tuple[str, str]], str]:
    with urllib.request.urlopen(f"{url}/api/v2/alerts", timeout=5) as answer:
        alerts = json.load(answer)
    return {frozenset(alert["labels"].items()): alert["status"]["state"] for alert in alerts}


def _settled(states: dict[frozenset[tuple[str, str]], str]) -> bool:
    held = (states.get(frozenset(target.items())) for _, target in HELD.values())
    return "unprocessed" not in states.values() and all(state == "suppressed" for state in held)


def _wait_ready(url: str, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    pytest.fail(f"Alertmanager is not ready after {READY_SECONDS} s: {log.read_text()[-2000:]}")
