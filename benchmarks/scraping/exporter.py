"""A running exporter: scraped as Prometheus does it, and what it and its children cost so far."""

import gzip
import http.client
import os
import re
from dataclasses import dataclass
from pathlib import Path

from demo.program import Program


@dataclass(frozen=True, slots=True)
class Exporter:
    """A running exporter, ours or the peer."""

    program: Program
    port: int

    def scrape(self, *, packed: bool = False) -> str:
        """One scrape as Prometheus does it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            return scraped(connection, packed=packed)
        finally:
            connection.close()

    def cpu_seconds(self) -> float:
        ticks = sum(cpu_ticks(pid) for pid in family(self.program.process.pid))
        return ticks / os.sysconf("SC_CLK_TCK")

    def resident_mib(self) -> float:
        return sum(pss_kib(pid) for pid in family(self.program.process.pid)) / 1024


def scraped(connection: http.client.HTTPConnection, *, packed: bool = False) -> str:
    """The answer to one request; the time to unpack it is part of it."""
    encoding = "gzip" if packed else "identity"
    connection.request("GET", "/metrics", headers={"Accept-Encoding": encoding})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != http.HTTPStatus.OK:
        raise SystemExit(f"/metrics answered {answer.status}")
    unpack = answer.headers.get("Content-Encoding") == "gzip"
    return (gzip.decompress(body) if unpack else body).decode()


def family(pid: int) -> list[int]:
    """A process and all below it."""
    children = Path(f"/proc/{pid}/task").glob("*/children")
    below = [int(child) for found in children for child in found.read_text().split()]
    return [pid, *(each for child in below for each in family(child))]


def cpu_ticks(pid: int) -> int:
    """User and system time of a process, and of children that it has waited for."""
    # After the name, which may hold spaces: utime, stime, cutime, cstime are fields 14 to 17.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15]))


def pss_kib(pid: int) -> int:
    found = re.search(r"(?m)^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text())
    return int(found[1]) if found else 0
