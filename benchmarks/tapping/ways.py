"""The ways to one engine: direct, through `tidegauge serve`, and through nginx."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from demo.program import Program, eventually
from tests.haproxy import free_port

ROOT = Path(__file__).resolve().parents[2]
NGINX = ROOT / ".tools" / "bench" / "bin" / "nginx"

# Tuned for streams: nothing is buffered, connections to the engine are kept, no log is written.
_NGINX_CONF = """\
daemon off;
worker_processes auto;
pid {folder}/nginx.pid;
error_log stderr crit;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  tcp_nodelay on;
  keepalive_timeout 75s;
  keepalive_requests 100000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  client_max_body_size 0;
  upstream engine {{
    server 127.0.0.1:{engine};
    keepalive 256;
    keepalive_requests 100000;
  }}
  server {{
    listen 127.0.0.1:{port} backlog=1024;
    location / {{
      proxy_pass http://engine;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_buffering off;
      proxy_request_buffering off;
      proxy_read_timeout 1h;
    }}
  }}
}}
"""

_SERVE_YML = """\
serve:
  gpu: {{enabled: false}}
  discovery: {{enabled: false}}
  environment: {{enabled: false}}
  traffic: {{models: [chat], listen_address: "127.0.0.1:{port}", upstream: "http://127.0.0.1:{engine}"}}
"""


@asynccontextmanager
async def ways(folder: Path) -> AsyncIterator[tuple[dict[str, int], dict[str, Program]]]:
    """The port of each way, and the programs that stand in them."""
    ports = {"direct": free_port(), "tidegauge": free_port(), "nginx": free_port()}
    engine = [sys.executable, str(ROOT / "benchmarks" / "tapping" / "engine.py")]
    serve_yml, nginx_conf = folder / "serve.yml", folder / "nginx.conf"
    serve_yml.write_text(_SERVE_YML.format(port=ports["tidegauge"], engine=ports["direct"]))
    nginx_conf.write_text(
        _NGINX_CONF.format(port=ports["nginx"], engine=ports["direct"], folder=folder)
    )
    commands = {
        "direct": [*engine, str(ports["direct"])],
        "tidegauge": [
            *(sys.executable, "-m", "tidegauge.cli.main", "serve", "--config.file"),
            *(str(serve_yml), "--web.listen-address", f"127.0.0.1:{free_port()}"),
        ],
        "nginx": [str(NGINX), "-e", "stderr", "-p", str(folder), "-c", str(nginx_conf)],
    }
    programs: dict[str, Program] = {}
    async with AsyncExitStack() as stack:
        for name, command in commands.items():
            program = await Program.start(name, command, log=folder / f"{name}.log")
            stack.push_async_callback(program.stop)
            await eventually(partial(_listens, ports[name]), seconds=30, what=name)
            programs[name] = program
        yield ports, programs


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
