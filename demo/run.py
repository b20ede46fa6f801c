"""`make demo`: the whole loop on a real engine, until Ctrl-C or for DURATION seconds."""

import argparse
import asyncio
import contextlib
import itertools
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from demo.files import MODEL, ROOT
from demo.ports import usual_ports
from demo.program import DemoError, Program
from demo.progress import Progress
from demo.stack import Stack, running
from demo.story import Story, inject_command

_PROGRESS_SECONDS = 5


def main() -> int:
    arguments = _parser().parse_args()
    try:
        asyncio.run(_until_interrupted(arguments.home, arguments.duration))
    except (DemoError, OSError, subprocess.CalledProcessError) as error:
        print(f"demo: {error}\ndemo: logs are in {arguments.home / 'logs'}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument(
        "--duration", type=float, default=None, metavar="SECONDS", help="end by itself"
    )
    parser.add_argument("--home", type=Path, default=ROOT / ".demo", help="where it writes")
    return parser


async def _until_interrupted(home: Path, duration: float | None) -> None:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    if task is None:
        raise DemoError("no task to interrupt")
    end = _once(task.cancel)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, end)
    started, story = time.monotonic(), Story()

    def say(text: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - started), 60)
        print(f"[{minutes:02}:{seconds:02}] {text}", flush=True)

    ends_at = None if duration is None else loop.time() + duration
    ports, cache = usual_ports(), ROOT / ".cache" / "demo"
    with contextlib.suppress(asyncio.CancelledError):
        async with running(home, ports, cache=cache, say=say) as stack:
            _introduce(stack, story)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(ends_at):
                    await _tell(stack, story, say)
            say("stopping")
    say("stopped; nothing is left running")


def _once(end: Callable[[], object]) -> Callable[[], None]:
    """Ends at the first signal; a second one must not end the ending."""
    signals = itertools.count()

    def received() -> None:
        if next(signals) == 0:
            end()
        else:
            print("still stopping what was started; a moment", flush=True)

    return received


def _introduce(stack: Stack, story: Story) -> None:
    ports, url = stack.ports, stack.url
    print(
        f"""
  chat completions (HAProxy)   {url(ports.chat)}/v1/chat/completions
  tidegauge control            {url(ports.control)}
  tidegauge serve              one per replica; {url(ports.control)}/sd lists them
  Prometheus                   {url(ports.prometheus)}
  Alertmanager                 {url(ports.alertmanager)}
  HAProxy metrics              {url(ports.haproxy_metrics)}/metrics
  alerts are delivered to      {url(ports.webhook)} and printed here
  configuration and logs       {stack.files.home}

The story takes {story.seconds / 60:.1f} minutes and then starts over: load rises from
{story.quiet:g} to {story.busy:g} requests a second and the pool grows from 1 replica to 3; prompts
change from chat to code for the middle third, and a drift alert fires; load falls, prompts
change back, the pool shrinks to 1 and the alert resolves. About two minutes after its first value
a signal has a band (llm_signal_upper and _lower), of so little that what is new to it may alarm,
too. Ctrl-C ends it.
""",
        flush=True,
    )


async def _tell(stack: Stack, story: Story, say: Callable[[str], None]) -> None:
    """The story over and over, with a line on how it goes every few seconds."""
    progress = Progress(stack.url(stack.ports.prometheus))
    try:
        for seed in itertools.count(1):
            url = stack.url(stack.ports.chat)
            command = inject_command(story, url=url, model=MODEL, seed=seed)
            log = stack.files.logs / f"inject-{seed}.log"
            words = [sys.executable, "-m", "tidegauge.cli.main", *command]
            stack.programs["inject"] = inject = await Program.start("inject", words, log=log)
            say(f"the story begins; what became of its requests will be in {log}")
            while inject.process.returncode is None:
                await asyncio.sleep(_PROGRESS_SECONDS)
                say(await progress.line())
            say(f"the story is told: {_summary(log)}")
    finally:
        await progress.close()


def _summary(log: Path) -> str:
    """What `tidegauge inject` said last, in a line.

    Raises:
        DemoError: it did not come to its summary.
    """
    before, found, told = log.read_text(errors="replace").rpartition("\n{")
    if not found:
        raise DemoError(f"tidegauge inject gave up: {before or told}")
    told = json.loads("{" + told)
    failed, first_token = sum(told["failed"].values()), told["first_token"]
    latency = f"; first token p95 {first_token['p95_seconds']:.2f} s" if first_token else ""
    return f"{told['sent']} requests sent, {told['ok']} answered, {failed} failed{latency}"


if __name__ == "__main__":
    sys.exit(main())
