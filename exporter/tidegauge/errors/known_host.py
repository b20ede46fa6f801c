"""Known patterns of the machine under the engine. Data only."""

from tidegauge.errors.known_pattern import Known

HOST = (
    Known(
        name="host_out_of_memory",
        cls="host",
        severity="fatal",
        shows="the host's memory ran out",
        phrases=(
            ("out of memory: killed process",),
            ("std::bad_alloc",),
            ("cannot allocate memory",),
            ("memory cgroup out of memory",),
        ),
        meaning="The kernel or the allocator had no memory left; a process was killed or failed.",
        action="Compare the container's limit with the weights' size; lower CPU offload and swap "
        "space; look for another process.",
        examples=(
            "OSError: [Errno 12] Cannot allocate memory",
            "ERROR: Out of memory: Killed process 4242 (python3) total-vm:81920000kB",
        ),
    ),
    Known(
        name="shared_memory_full",
        cls="host",
        severity="fatal",
        shows="shared memory ran out",
        phrases=(
            ("bus error", "shared memory"),
            ("unable to open shared memory",),
            ("/shm", "no space"),
        ),
        meaning="The file system /dev/shm is too small for what ranks exchange.",
        action="Give the container more (`--shm-size`, an emptyDir of medium Memory).",
        examples=(
            (
                "ERROR: Unexpected bus error encountered in worker. This might be caused by too "
                "little "
                "shared memory (shm)."
            ),
        ),
    ),
    Known(
        name="disk_full",
        cls="host",
        severity="error",
        shows="no space left on device",
        phrases=(("no space left on device",), ("disk quota exceeded",)),
        meaning="A file system is full.",
        action="Caches of weights and compiled kernels are the usual suspects; `df -h`.",
        examples=("OSError: [Errno 28] No space left on device",),
    ),
    Known(
        name="files_exhausted",
        cls="host",
        severity="error",
        shows="too many open files",
        phrases=(("too many open files",),),
        meaning="The process has as many files and connections open as it may.",
        action="Raise `ulimit -n` (systemd `LimitNOFILE`); look for connections left open.",
        examples=("OSError: [Errno 24] Too many open files",),
    ),
    Known(
        name="address_in_use",
        cls="host",
        severity="error",
        shows="address already in use",
        phrases=(("address already in use",), ("address in use",)),
        meaning="Another process listens on the port that the engine wants, often its predecessor.",
        action="`ss -ltnp`; end what is left of it.",
        examples=(
            (
                "ERROR:    [Errno 98] error while attempting to bind on address ('0.0.0.0', 8000): "
                "address already in use"
            ),
        ),
    ),
)
