"""The words that a pattern may show: those of engines, libraries and drivers, and no others.

Data, no clock, no network, no logging. A word goes in here when the messages of an engine are
built from it. Never a name of a person, a place, a product of a user, or anything that says what a
request was about.
"""

import builtins
from collections.abc import Iterable, Mapping

# What any text is made of: shown only in a message that has words of the trade as well.
_COMMON = """
    a after all already an and any are as at be because been before being but by can cannot does
    during each either enough for from given had has have if in instead into is isn't it its less
    may more must no not of off on once one only or other out over same should since so some still
    such than that the their them then there these this to too two under unless until up upon used
    using via was were when where which while will with within without would don't doesn't can't
    couldn't wasn't won't could did didn't do again another between both exactly first last least
    most never next now per than yet you your we
    """
COMMON = frozenset(_COMMON.split())

_TECHNICAL = """
    abort aborted aborting absent accept accepted access acquire actor adapter adapters add added
    address addresses aggregate alive alignment allgather alloc allocate allocated allocating
    allocation allocations allocator allowed allreduce api application architecture argument
    arguments arch array assert assertion async asynchronously attach attempt attempted attempting
    attempts attention attribute auth authentication auto automatic available awq background
    backend backends backlog backoff bad batch batched batches batching beam bf16 bfloat16 bias
    bind binding bits block blocked blocks body boolean broadcast broken buffer buffers bug build
    builder bus busy byte bytes cache cached caching call callback called caller calls cancel
    canceled cancelled cancelling cannot capability capacity capture captured capturing caught
    certificate chain chat check checkpoint checkpoints checking checks child chunk chunked chunks
    class cleanup clear client clients clock close closed closing cluster code codes codec
    collective columns command communication communicator compatible compilation compile compiled
    compiler complete completed completion completions compression compute computed concurrency
    concurrent config configuration configure configured conflict connect connected connecting
    connection connections consider constraint consumer contain container contains context
    contiguous controller convert converted coordinator copied copy core cores corrupt corrupted
    count counter cpu crash crashed crashing create created creating creation cublas cuda cudagraph
    cudaMalloc cudnn current currently custom cutlass cycle daemon data database deadlock debug
    decode decoded decoder decoding decreasing default defunct delay delete deleted deleting
    delivery denied dependency deprecated deprecation dequeue deserialize deserializing destroy
    destroyed destroying detected detokenize detokenizer device devices dict died diff different
    dimension dimensions directory disable disabled disabling discard disconnect disconnected disk
    dispatch distributed divisible dma does donor double download downloaded downloading draft
    drain draining driver drivers drop dropped dropping dtype due duplicate duplicated dynamic
    eager ecc efficiency embedding embeddings empty enable enabled encode encoder encoding
    encountered end endpoint endpoints engine engines enqueue entries entry environment eof equal
    error errors eviction evict evicted exceed exceeded exceeds exception exceptions executable
    execute executed executing execution executor exhausted exist existing exists exit exited
    exiting expect expected expecting expert experts expired expires export extension external
    fabric facility fail failed failing fails failure failures fallback falling fallen fatal fault
    faulted fd feature fetch field fields file filename files filesystem filter finalize find
    finish finished finishing fit flag flags flash float float16 flush folder forcibly fork forked
    format formats formatted forward found fp16 fp8 fraction fragment fragmentation frame free
    freed freeing frequency frontend full function functions future gather gateway generate
    generated generating generation generator get getting gguf ggml gloo global gpu gpus gptq
    graceful gracefully gradient grammar graph graphs grouped grpc guided hang hanging handle
    handled handler handlers handles handling handshake hardware hash head header headers heads
    health healthy heap heartbeat hidden high hit hook host hostname http https hung ib id
    identifier ids idle ignore ignored ignoring illegal image images implementation implemented
    import imported incompatible incomplete incorrect increase increasing index indices inference
    infiniband init initialization initialize initialized initializing input inputs insert instance
    instances instruction insufficient int int4 int8 integer integrity interface internal interrupt
    interrupted interval invalid invoke io ipc is_causal iteration iterator jinja job jit join json
    kernel kernels key keys kill killed killing kv label launch launched launching launcher layer
    layers layout leak leaked length lengths less level libcuda library limit limited limits link
    linked list listen listening llama llm load loaded loader loading local localhost location lock
    locked log logger logging logits logprobs long longer loop lora loras lost low machine main
    manager manual mapped mapping marked mask master match matching matrix max maximum memory
    message messages metadata method metric metrics middleware mig migration min minimum mismatch
    misaligned missing mixed mlock mmap mode model models module modules moe monitor mount mpi
    multimodal multiple multiprocessing mutex name named names nan native nccl near negative net
    network node nodes non none null nullptr num number numbers numa numerical nvlink nvml nvrm
    object objects observed occurred offline offload offloading offset oom op opcode open opened
    opening operation operations operator option optional options order orphan output outputs
    overflow overload overloaded override owner pack packed padding page paged pages parallel
    parameter parameters parent parse parsed parser parsing part partial passed path paths pcie
    peer pending performance permission permissions permitted persistent pid pin ping pinned pipe
    pipeline placement platform plugin plugins pod pointer policy poll pool port ports position
    positions positive postprocess precision preempt preempted preemption prefer prefill prefix
    preprocess present previous previously priority probability problem process processed processes
    processing processor processors profile profiling program progress prompt prompts propagate
    properties property protocol provided proxy pull push pydantic python pytorch quant
    quantization quantized query queue queued queues quit quota race raise raised raising range
    rank ranks rate ratio raw ray reach reached reachable read reader reading ready reason receive
    received receiving recipe recompute recomputation record recover recovered recovery recursion
    redirect reduce reduced reducing reference refused region register registered registry reject
    rejected rejecting release released reload remaining remote remove removed removing repeated
    replace replica report reported request requested requests require required requires
    requirements reserve reserved reserving reset resetting resident resize resolve resource
    resources respond responding response responses restart restarted restarting result results
    resume retract retracted retraction retry retries retried retrying return returned returning
    returns rollback root rope round route router routing row rows rpc run runner running runtime
    safetensors sample sampler samplers sampling save saved saving scale scaling scatter schedule
    scheduled scheduler scheduling schema scope score script searching section security see seed
    segment segmentation segfault semaphore send sending sent sequence sequences serialization
    serialize serve served server servers service serving session set setting settings setup severe
    shape shapes shard sharded shards shared shm shut shutdown shutting shuts side sigabrt sigbus
    sigint sigkill signal signals sigsegv sigterm silently single size sizes skip skipped skipping
    slot slots slow smaller snapshot socket sockets softmax source space speculative speculator
    spawn spawned split ssl stack stale stalled start started starting startup state static status
    step steps stop stopped stopping storage store stored strategy stream streaming streams strict
    string structured stuck style subprocess subsystem succeeded success successfully suggested
    supplied support supported supports suspended swap swapped sync synchronization synchronize
    syntax system table tag target task tasks tcp template templates temporary tensor tensorrt
    tensors terminate terminated terminating termination test text thread threads threshold
    throttled throughput throw throwing thrown time timed timeout timeouts timestamp tls token
    tokenize tokenized tokenizer tokenizers tokens tool tools topology torch total tp trace
    traceback transaction transfer transferred transformers transport triton truncate truncated
    truncating try trying tunnel type types unable unauthorized unavailable uncorrectable undefined
    unexpected unexpectedly unhandled unified uninitialized unique unit unix unknown unload
    unloaded unloading unreachable unrecognized unregistered unreserved unsafe unset unspecified
    unsupported update updated updating upgrade upstream url usable usage use user utf utilization
    uvicorn uvloop valid validate validated validating validation value values variable variables
    vector verification verify version versions violation virtual visible vision vllm vocab
    vocabulary wait waited waiting wake walltime warming warmup warn warning warnings watchdog
    weight weights width window word work worker workers working workspace world wrapper write
    writer writing written wrong xformers xid yield zero zombie zmq
    """

# What is spelled in its own way: identifiers of engines, error names of CUDA, NCCL and Python.
_SPELLED = """
    ALLGATHER ALLREDUCE ALLGATHER_BASE BROADCAST REDUCE_SCATTER OpType SeqNum WorkNCCL NumelIn
    NumelOut Timeout ProcessGroup ProcessGroupNCCL TCPStore ncclCommAbort ncclInternalError
    ncclInvalidArgument ncclInvalidUsage ncclRemoteError ncclSystemError ncclUnhandledCudaError
    CUBLAS_STATUS_ALLOC_FAILED CUBLAS_STATUS_EXECUTION_FAILED CUBLAS_STATUS_INTERNAL_ERROR
    CUBLAS_STATUS_INVALID_VALUE CUBLAS_STATUS_NOT_INITIALIZED CUDNN_STATUS_EXECUTION_FAILED
    CUDNN_STATUS_INTERNAL_ERROR CUDA_ERROR_ILLEGAL_ADDRESS CUDA_ERROR_LAUNCH_FAILED
    CUDA_ERROR_NOT_FOUND CUDA_ERROR_NO_DEVICE CUDA_ERROR_OUT_OF_MEMORY CUDA_ERROR_UNKNOWN
    CUDA_LAUNCH_BLOCKING CUDA_VISIBLE_DEVICES LD_LIBRARY_PATH NCCL_DEBUG PYTORCH_CUDA_ALLOC_CONF
    TORCH_USE_CUDA_DSA expandable_segments gpu_memory_utilization max_model_len
    max_num_batched_tokens max_num_seqs max_seq_len max_tokens max_new_tokens max_total_tokens
    mem_fraction_static tensor_parallel_size pipeline_parallel_size swap_space enforce_eager
    chunked_prefill_size kv_cache kv_cache_dtype block_size cpu_offload_gb trust_remote_code
    n_batch n_ctx n_ctx_slot n_gpu_layers n_keep n_parallel n_predict n_prompt_tokens n_tokens
    n_ubatch n_vocab id_slot id_task llama_decode llama_init_from_model llama_kv_cache
    llama_model_load llama_model_loader update_slots launch_slot_ send_error load_model
    init_sampler ggml_abort ggml_assert ggml_cuda_error ggml_backend_cuda_buffer_type_alloc_buffer
    alloc_buffer cuda_buffer execute_model load_weights generate_step engine_core rope_scaling
    chat_template tool_choice response_format stop_sequences finish_reason top_k top_p min_p
    logit_bias device_map RecomputePreemption PreemptionMode RECOMPUTE SWAP AsyncEngineDeadError
    AsyncEngineRPCServer EngineCore EngineCoreProc EngineDeadError EngineGenerateError
    EngineShutdown MQEngineDeadError ModelRunner GPUModelRunner GPUWorker WorkerProc
    MultiprocExecutor AsyncLLM AsyncLLMEngine LLMEngine MQLLMEngine VLLMValidationError
    TokenizerManager DetokenizerManager ModelRpcServer TpModelWorker RadixCache FlashInfer
    FlashAttention HTTPException RequestValidationError ValidationError BadRequestError
    AuthenticationError NotFoundError RateLimitError APIError APIConnectionError ClientDisconnect
    ClientError ClientConnectorError ServerDisconnectedError ConnectError ConnectTimeout
    ReadTimeout ReadError RemoteProtocolError PoolTimeout LocalProtocolError HTTPError
    HTTPStatusError JSONDecodeError UnicodeDecodeError CancelledError InvalidStateError
    IncompleteReadError QueueFull QueueEmpty BrokenExecutor BrokenProcessPool CalledProcessError
    TimeoutExpired OutOfMemoryError AcceleratorError CudaError CUDAError DistBackendError DistError
    DistNetworkError DistStoreError NCCLError InternalTorchDynamoError BackendCompilerFailed
    CompilationError OutOfResources InductorError TorchRuntimeError Unsupported SafetensorError
    GatedRepoError RepositoryNotFoundError RevisionNotFoundError LocalEntryNotFoundError
    EntryNotFoundError HFValidationError OfflineModeIsEnabled TemplateError TemplateSyntaxError
    UndefinedError TemplateNotFound RayActorError RayTaskError ActorDiedError ActorUnavailableError
    WorkerCrashedError NodeDiedError ObjectLostError OutOfMemory RaySystemError ZMQError
    InferenceServerException TritonError TritonModelException StatusCode UNAVAILABLE
    DEADLINE_EXCEEDED RESOURCE_EXHAUSTED INTERNAL INVALID_ARGUMENT bad_alloc runtime_error
    logic_error out_of_range invalid_argument system_error c10::Error SIGABRT SIGBUS SIGFPE SIGILL
    SIGKILL SIGSEGV SIGTERM Xid NVRM
    """


def words(more: Iterable[str] = ()) -> Mapping[str, str]:
    """What may be shown, by its lower case: how it is spelled. `more` are a user's own words."""
    spelled = (*_SPELLED.split(), *_python_exceptions())
    plain = (*COMMON, *_TECHNICAL.split(), *(word.lower() for word in more))
    return {word.lower(): word for word in (*spelled, *plain)}


def _python_exceptions() -> Iterable[str]:
    found = vars(builtins).items()
    return (n for n, v in found if isinstance(v, type) and issubclass(v, BaseException))
