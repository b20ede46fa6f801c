"""Known patterns of engines: their death, their scheduling, models, requests. Data only."""

from tidegauge.errors.known_pattern import Known

ENGINE = (
    Known(
        name="engine_dead",
        cls="engine",
        severity="fatal",
        shows="the engine's core has died",
        phrases=(
            ("enginedeaderror",),
            ("enginecore encountered a fatal error",),
            ("enginecore failed",),
            ("engine core initialization failed",),
            ("background loop has errored already",),
            ("scheduler hit an exception",),
        ),
        meaning="The loop that runs the model has ended; the HTTP server in front of it may still "
        "answer /health.",
        action="Restart the engine. Why it died stands just before: a pattern of class gpu, memory "
        "or communication.",
        examples=(
            "ERROR 08-11 12:00:00 [core.py:702] EngineCore encountered a fatal error.",
            (
                "ERROR 08-11 12:00:00 [async_llm.py:480] "
                "vllm.v1.engine.exceptions.EngineDeadError: "
                "EngineCore encountered an issue. See stack trace (above) for the root cause."
            ),
            "[2026-01-01 12:00:00] Scheduler hit an exception: Traceback (most recent call last):",
        ),
    ),
    Known(
        name="worker_died",
        cls="engine",
        severity="fatal",
        shows="a worker of the engine has died",
        phrases=(
            ("worker proc", "died unexpectedly"),
            ("shard process was signaled to shutdown",),
            ("the actor died unexpectedly",),
            ("worker process", "died"),
        ),
        meaning="A process that serves one GPU is gone: killed for memory, or crashed.",
        action="`dmesg` for the kernel's OOM killer, Xids for the GPU; then restart the engine.",
        examples=(
            (
                "ERROR 08-11 12:00:00 [multiproc_executor.py:140] Worker proc VllmWorker-1 died "
                "unexpectedly, shutting down executor."
            ),
            (
                '{"timestamp":"2026-01-01T12:00:00Z","level":"ERROR","fields":{"message":"Shard '
                "process was signaled to shutdown with signal "
                '9"},"target":"text_generation_launcher"}'
            ),
        ),
    ),
    Known(
        name="native_crash",
        cls="engine",
        severity="fatal",
        shows="the process crashed in native code",
        phrases=(
            ("segmentation fault",),
            ("fatal python error",),
            ("terminate called after throwing",),
            ("ggml_assert(",),
        ),
        meaning="Compiled code ended the process: a bug, a library that does not fit, or memory "
        "that ran out.",
        action="Keep the core dump or the stack below the line; compare versions of CUDA, PyTorch "
        "and the engine with a replica that works.",
        examples=(
            "terminate called after throwing an instance of 'c10::Error'",
            "Fatal Python error: Segmentation fault",
            "Segmentation fault (core dumped)",
        ),
    ),
    Known(
        name="model_execution_timeout",
        cls="engine",
        severity="error",
        shows="execution of the model timed out",
        phrases=(("rpc call to execute_model timed out",), ("sample_tokens timed out",)),
        meaning="A step of the model took longer than the engine waits: a rank hangs, or compiles.",
        action="Look for nccl_timeout and for a GPU at 100 % without tokens; restart the engine.",
        examples=(
            "ERROR 08-11 12:00:00 [core.py:700] TimeoutError: RPC call to execute_model timed out.",
        ),
    ),
    Known(
        name="kv_cache_too_small",
        cls="memory",
        severity="fatal",
        shows="no room for the KV cache",
        phrases=(
            ("no available memory for the cache blocks",),
            ("is larger than the maximum number of tokens that can be stored in kv cache",),
            ("is larger than the available kv cache memory",),
            ("failed to allocate buffer for kv cache",),
            ("not enough memory. please try to increase --mem-fraction-static",),
        ),
        meaning="After the weights, too little GPU memory is left to hold one longest request.",
        action="Lower the longest context (vLLM `--max-model-len`), raise the memory share, or "
        "quantise the KV cache.",
        examples=(
            (
                "ValueError: No available memory for the cache blocks. Try increasing "
                "`gpu_memory_utilization` when initializing the engine."
            ),
            "RuntimeError: Not enough memory. Please try to increase --mem-fraction-static.",
        ),
    ),
    Known(
        name="preemption",
        cls="scheduling",
        severity="warning",
        shows="requests preempted: the KV cache is full",
        phrases=(
            ("is preempted by preemptionmode",),
            ("kv cache pool is full. retract requests",),
            ("decode out of memory happened",),
        ),
        at_any_level=True,
        meaning="Running requests lost their KV cache to others and start again. Some are normal "
        "at the peak; a storm means that work is done twice.",
        action="Runbook LLMPreemptionStorm.",
        examples=(
            (
                "WARNING 08-11 12:00:00 [scheduler.py:1057] Sequence group chatcmpl-7 is "
                "preempted by "
                "PreemptionMode.RECOMPUTE mode because there is not enough KV cache space."
            ),
            "[2026-01-01 12:00:00 TP0] KV cache pool is full. Retract requests. #retracted_reqs: 1",
        ),
    ),
    Known(
        name="kv_cache_full",
        cls="scheduling",
        severity="warning",
        shows="no free space in the KV cache",
        phrases=(
            ("failed to find free space in the kv cache",),
            ("failed to find a memory slot for batch",),
        ),
        meaning="A batch found no room; the engine tries smaller ones, and then fails the request.",
        action="Fewer slots or a larger context (llama.cpp `-np`, `-c`).",
        examples=(
            (
                "0.00.017.911 W srv  update_slots: failed to find free space in the KV cache, "
                "retrying "
                "with smaller batch size"
            ),
        ),
    ),
    Known(
        name="context_exceeded",
        cls="request",
        severity="warning",
        shows="the request is longer than the context",
        phrases=(
            ("maximum context length is",),
            ("exceeds the available context size",),
            ("longer than the model's context length",),
            ("longer than the maximum model length",),
        ),
        meaning="A client sent more than the model can take, and was refused.",
        action="The client's to mend. Many at once: a deploy of the application, or a model with a "
        "shorter context than before.",
        examples=(
            (
                "0.00.017.911 E srv    send_error: task id = 14, error: request (410 tokens) "
                "exceeds "
                "the available context size (256 tokens), try increasing it"
            ),
            (
                "ERROR 08-11 12:00:00 [serving_chat.py:200] ValueError: This model's maximum "
                "context "
                "length is 4096 tokens."
            ),
        ),
    ),
    Known(
        name="grammar_error",
        cls="request",
        severity="warning",
        shows="a grammar or schema could not be compiled",
        phrases=(
            ("failed to parse grammar",),
            ("failed to compile grammar",),
            ("error parsing grammar",),
            ("failed to convert json schema",),
        ),
        meaning="A request asked for structured output in a form that the engine does not know.",
        action="The client's to mend; many at once after an upgrade: another grammar backend.",
        examples=("0.00.017.911 E failed to parse grammar",),
    ),
    Known(
        name="tokenizer_error",
        cls="model",
        severity="error",
        shows="the tokenizer cannot be used",
        phrases=(
            ("can't load tokenizer",),
            ("failed to load tokenizer",),
            ("failed to load the tokenizer",),
            ("tokenizer class", "does not exist"),
            ("tokenization failed",),
            ("failed to tokenize",),
            ("data did not match any variant of untagged enum modelwrapper",),
        ),
        meaning="Files of the tokenizer are missing, broken or too new for this library; or one "
        "text could not be encoded.",
        action="Compare tokenizer.json with the model's revision; upgrade the engine.",
        examples=(
            "OSError: Can't load tokenizer for /models/x. Make sure the directory holds all files",
            "ValueError: Tokenizer class XTokenizer does not exist or is not currently imported.",
            "ERROR: Failed to tokenize prompt",
        ),
    ),
    Known(
        name="chat_template_error",
        cls="model",
        severity="error",
        shows="the chat template failed",
        phrases=(
            ("jinja2.exceptions.",),
            ("error in applying chat template",),
            ("default chat template is no longer allowed",),
            ("failed to apply chat template",),
        ),
        meaning="Messages could not be put in the model's form: roles out of order, tools that it "
        "does not know, or no template.",
        action="Give the engine a template that fits (`--chat-template`); see what the client "
        "sends as roles and tools.",
        examples=(
            "jinja2.exceptions.TemplateError: Conversation roles must alternate",
            "ERROR 08-11 12:00:00 [serving_chat.py:180] Error in applying chat template from",
        ),
    ),
    Known(
        name="weights_unreadable",
        cls="model",
        severity="fatal",
        shows="the weights cannot be read",
        phrases=(
            ("error while deserializing header",),
            ("safetensorerror",),
            ("error loading model",),
            ("failed to load model",),
            ("cannot find any model weights",),
        ),
        meaning="A file of the weights is cut off, missing or of another format.",
        action="Compare sizes and hashes with the source; download again; see that the disk is "
        "not full.",
        examples=(
            "safetensors_rust.SafetensorError: Error while deserializing header: HeaderTooLarge",
            "llama_model_load: error loading model: tensor is not within the file bounds",
            "RuntimeError: Cannot find any model weights with /models/x",
        ),
    ),
)
