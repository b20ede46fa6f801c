"""Hugging Face's Text Generation Inference 2 and 3. Data only.

It names no model, and its counters have no `_total` (here they have: a parsed counter's row always
does). There is no time to first token. `skipped_tokens` are tokens that speculation saved a step
for; releases differ on whether they are a summary or a histogram, both of which have a sum.
"""

from tidegauge.catalog import inference as ours
from tidegauge.engines.dialect import Dialect
from tidegauge.engines.rule import Rule

TGI = Dialect(
    name="tgi",
    title="Text Generation Inference",
    # A counter appears when it first counts; these gauges are there from the start.
    fingerprint=("tgi_queue_size", "tgi_batch_current_size"),
    prefixes=("tgi_",),
    rules=(
        Rule(("tgi_batch_current_size",), ours.REQUESTS_RUNNING),
        Rule(("tgi_queue_size",), ours.REQUESTS_WAITING),
        Rule(("tgi_request_mean_time_per_token_duration",), ours.TIME_PER_OUTPUT_TOKEN),
        Rule(("tgi_request_duration",), ours.REQUEST_DURATION),
        Rule(("tgi_request_queue_duration",), ours.QUEUE_DURATION),
        Rule(("tgi_request_input_length",), ours.REQUEST_PROMPT_TOKENS),
        Rule(("tgi_request_generated_tokens",), ours.REQUEST_GENERATION_TOKENS),
        Rule(("tgi_request_input_length",), ours.PROMPT_TOKENS, part="sum"),
        Rule(("tgi_request_generated_tokens",), ours.GENERATION_TOKENS, part="sum"),
        Rule(
            ("tgi_request_success_total",),
            ours.REQUESTS_FINISHED,
            constant=(("reason", "unknown"),),
        ),
        Rule(("tgi_request_failure_total",), ours.REQUEST_ERRORS, labels=(("err", "class"),)),
        Rule(("tgi_request_skipped_tokens",), ours.SPEC_DECODE_ACCEPTED, part="sum"),
    ),
    ignored=(
        "tgi_batch_*",
        "tgi_request_count",
        "tgi_request_inference_duration",
        "tgi_request_max_new_tokens",
        "tgi_request_validation_duration",
    ),
)
