"""What version an engine says it is: each engine has a path of its own for that.

Names of dialects, paths and keys, and where they were read:

    vllm        GET /version            {"version": "0.10.0"}     entrypoints/openai/api_server.py
    sglang      GET /server_info        {"version": "0.5.3", …}   srt/entrypoints/http_server.py,
                GET /get_server_info                              the older name of it
    tgi         GET /info               {"version": "3.3.2", …}   router/src/server.rs
    llamacpp    GET /props              {"build_info": "b11434-0cf2f7a", …}   tools/server
    trtllm      GET /version            {"version": "1.0.0"}      serve/openai_server.py
    triton      GET /v2                 {"name": "triton", "version": "2.45.0", …}
                                        server metadata of KServe's v2 protocol
    nim         GET /v1/version         {"release": "1.8.0", …}   NVIDIA's API reference of NIM

Triton has its metrics at a port of their own (8002, its API at 8000): it is asked where its
metrics are, so it answers only behind one address for both. LMDeploy has no such path and Ray
Serve none of its own; their version is not known, and not judged.
"""

import json
from collections.abc import Awaitable, Callable, Mapping

from tidegauge.sources.environment.facts import Engine
from tidegauge.sources.source import SourceError

MAX_LENGTH = 100  # it becomes a label value

Fetch = Callable[[str], Awaitable[bytes]]
"""The body of a GET of the path given; raises SourceError. The caller limits its time."""

ASKED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "vllm": (("/version", "version"),),
    "sglang": (("/server_info", "version"), ("/get_server_info", "version")),
    "tgi": (("/info", "version"),),
    "llamacpp": (("/props", "build_info"),),
    "trtllm": (("/version", "version"),),
    "triton": (("/v2", "version"),),
    "nim": (("/v1/version", "release"),),
}
"""By dialect: the paths to try in turn, and the key of the answer that is the version."""


async def engine_version(name: str, fetch: Fetch) -> Engine | None:
    """What the engine of this dialect says; None for a dialect that cannot be asked.

    Raises:
        SourceError: it was asked, and no path gave a version; says what the last one gave.
    """
    problem: SourceError | None = None
    for path, key in ASKED.get(name, ()):
        try:
            return Engine(name, _version(await fetch(path), path, key))
        except SourceError as error:
            problem = error
    if problem:
        raise problem
    return None


def _version(body: bytes, path: str, key: str) -> str:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise SourceError("parse", f"{path}: no JSON: {error}") from error
    version = answer.get(key) if isinstance(answer, dict) else None
    if not isinstance(version, str) or not 0 < len(version) <= MAX_LENGTH:
        raise SourceError("parse", f"{path}: no text of a version's length under {key!r}")
    return version
