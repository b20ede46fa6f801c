"""Known patterns of GPUs: memory, faults, and ranks that wait for one another. Data only."""

from tidegauge.errors.known_pattern import Known

GPU = (
    Known(
        name="cuda_out_of_memory",
        cls="memory",
        severity="fatal",
        shows="CUDA out of memory",
        phrases=(
            ("cuda out of memory",),
            ("cuda error: out of memory",),
            ("hip out of memory",),
            ("cuda_error_out_of_memory",),
            ("cudamalloc failed: out of memory",),
            ("cublas_status_alloc_failed",),
        ),
        meaning="An allocation on a GPU failed. At the start: weights and KV cache do not fit. "
        "Later: an activation peak, or another process on the same GPU.",
        action="See who else uses the GPU (`nvidia-smi`). Lower the memory share or the batch "
        "(vLLM `--gpu-memory-utilization`, `--max-num-seqs`; SGLang `--mem-fraction-static`; "
        "llama.cpp `-ngl`, `-c`), or spread the model over more GPUs.",
        examples=(
            (
                "ERROR 08-11 12:00:00 [core.py:700] torch.OutOfMemoryError: CUDA out of memory. "
                "Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.10 GiB"
            ),
            "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 128.00 MiB",
            (
                "ggml_backend_cuda_buffer_type_alloc_buffer: allocating 512.00 MiB on device 0: "
                "cudaMalloc failed: out of memory"
            ),
            "RuntimeError: CUDA error: out of memory",
        ),
    ),
    Known(
        name="cuda_illegal_access",
        cls="gpu",
        severity="fatal",
        shows="CUDA error: an illegal memory access was encountered",
        phrases=(("illegal memory access was encountered",), ("cuda_error_illegal_address",)),
        meaning="A kernel read or wrote where it must not: a bug of the engine or a library, or a "
        "GPU that fails. The process cannot use CUDA any more.",
        action="Restart the engine. Again on one GPU only: look for Xid 13, 31 and ECC errors. On "
        "all: change the engine's version or its attention backend.",
        examples=(
            "RuntimeError: CUDA error: an illegal memory access was encountered",
            (
                "[rank1]:[E1017 12:00:00.100 ProcessGroupNCCL.cpp:1595] [PG 0 Rank 1] Process "
                "group "
                "watchdog thread terminated with exception: CUDA error: an illegal memory access "
                "was "
                "encountered"
            ),
        ),
    ),
    Known(
        name="cuda_assert",
        cls="gpu",
        severity="fatal",
        shows="CUDA error: device-side assert triggered",
        phrases=(("device-side assert triggered",),),
        meaning="A kernel checked its input and found it wrong, often a token id beyond the "
        "vocabulary. The process cannot use CUDA any more.",
        action="Restart the engine; see that tokenizer and weights belong together, and which "
        "request came just before.",
        examples=("RuntimeError: CUDA error: device-side assert triggered",),
    ),
    Known(
        name="cuda_launch_failure",
        cls="gpu",
        severity="fatal",
        shows="CUDA error: unspecified launch failure",
        phrases=(("unspecified launch failure",), ("cuda_error_launch_failed",)),
        meaning="A kernel died on the GPU. The process cannot use CUDA any more.",
        action="Restart the engine, and look for Xids at that time.",
        examples=("RuntimeError: CUDA error: unspecified launch failure",),
    ),
    Known(
        name="gpu_ecc_error",
        cls="gpu",
        severity="fatal",
        shows="CUDA error: uncorrectable ECC error encountered",
        phrases=(("uncorrectable ecc error",),),
        meaning="The GPU's memory gave a wrong value, and the process that used it is lost.",
        action="Restart the engine; runbook LLMGPUXidError, codes 48, 63, 64, 94, 95.",
        examples=("RuntimeError: CUDA error: uncorrectable ECC error encountered",),
    ),
    Known(
        name="gpu_xid",
        cls="gpu",
        severity="fatal",
        shows="NVRM: Xid",
        phrases=(("nvrm: xid",),),
        meaning="The driver reported an Xid in the kernel's log.",
        action="The number decides: see [xid.md](xid.md) and runbook LLMGPUXidError.",
        examples=(
            (
                "Jul 11 12:00:00 node7 kernel: [123456.789] NVRM: Xid (PCI:0000:65:00): 79, "
                "pid=1234, "
                "GPU has fallen off the bus."
            ),
            "[123456.789012] NVRM: Xid (PCI:0000:3b:00): 31, pid=77, name=python3, MMU Fault",
        ),
    ),
    Known(
        name="gpu_lost",
        cls="gpu",
        severity="fatal",
        shows="GPU is lost",
        phrases=(
            ("gpu has fallen off the bus",),
            ("gpu is lost",),
            ("no cuda gpus are available",),
        ),
        meaning="A GPU that is configured cannot be reached.",
        action="`nvidia-smi` on the host; runbook LLMGPULost.",
        examples=(
            "RuntimeError: No CUDA GPUs are available",
            "ERROR: Unable to determine the device handle for GPU0000:65:00.0: GPU is lost.",
        ),
    ),
    Known(
        name="driver_mismatch",
        cls="gpu",
        severity="fatal",
        shows="driver and library do not fit together",
        phrases=(
            ("driver/library version mismatch",),
            ("cuda driver version is insufficient",),
            ("nvidia driver on your system is too old",),
        ),
        meaning="The driver was upgraded under a running host, or is too old for this CUDA.",
        action="Reboot or reload the driver's modules; otherwise install the driver that the "
        "engine's CUDA asks for.",
        examples=(
            "RuntimeError: CUDA error: CUDA driver version is insufficient for CUDA runtime",
            "ERROR: Failed to initialize NVML: Driver/library version mismatch",
        ),
    ),
    Known(
        name="cublas_error",
        cls="gpu",
        severity="error",
        shows="CUBLAS_STATUS error",
        phrases=(("cublas_status_", "error"),),
        meaning="A matrix product failed: often memory that ran out, or a fault before it that "
        "shows only now.",
        action="Read the pattern that comes before it; set `CUDA_LAUNCH_BLOCKING=1` to find the "
        "call.",
        examples=(
            "RuntimeError: CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling cublasGemmEx",
        ),
    ),
    Known(
        name="nccl_timeout",
        cls="communication",
        severity="fatal",
        shows="NCCL: collective operation timed out",
        phrases=(
            ("caught collective operation timeout",),
            ("nccl", "watchdog", "timeout"),
            ("nccl", "timed out"),
        ),
        meaning="A rank waited for the others and gave up. One of them is dead, slow or elsewhere "
        "in the program; the engine ends.",
        action="Find the rank that did not time out: it is the one at fault. Look for its OOM, Xid "
        "or network error; then restart all ranks.",
        examples=(
            (
                "[rank1]:[E1017 12:00:00.100 ProcessGroupNCCL.cpp:607] [Rank 1] Watchdog caught "
                "collective operation timeout: WorkNCCL(SeqNum=81, OpType=ALLREDUCE, "
                "Timeout(ms)=60000) "
                "ran for 600042 milliseconds before timing out."
            ),
        ),
    ),
    Known(
        name="nccl_error",
        cls="communication",
        severity="fatal",
        shows="NCCL error",
        phrases=(
            ("nccl error",),
            ("nccl", "unhandled system error"),
            ("nccl", "unhandled cuda error"),
            ("nccl", "remote process exited"),
        ),
        meaning="GPUs could not talk to one another: a rank died, the network or NVLink failed, or "
        "the container has too little shared memory.",
        action="The rank that died first says why. For a start that never worked: `NCCL_DEBUG`,"
        " `/dev/shm` of 1 GiB and more, `NCCL_SOCKET_IFNAME`.",
        examples=(
            (
                "torch.distributed.DistBackendError: NCCL error in: ProcessGroupNCCL.cpp:2251, "
                "unhandled system error (run with NCCL_DEBUG=INFO for details), NCCL version 2.21.5"
            ),
            "RuntimeError: NCCL error: unhandled cuda error",
        ),
    ),
)
