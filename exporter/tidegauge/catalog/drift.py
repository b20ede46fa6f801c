"""How far requests are from the reference, and whether that is more than ordinary wandering.

`channel` is one of tidegauge.drift.cells.NAMES, or a side, inputs or outputs: all of its channels
together. The budget of false alarms is kept by the sides; a channel says what moved.
"""

from tidegauge.catalog.metric import Metric

_MODEL = ("model",)
_CHANNEL = ("model", "channel")
_SIDE = ("model", "side")

SCORE = Metric(
    "llm_drift_score",
    "gauge",
    "How far this replica's sliding window is from the reference: of numbers and classes by the "
    "test that is configured (population stability index by default), of vectors the distance of "
    "their means, of a side -log10 of the chance that independent requests differ as much; absent "
    "until the window holds enough requests.",
    _CHANNEL,
)
SCORE_BY_CHANCE = Metric(
    "llm_drift_score_by_chance",
    "gauge",
    "What llm_drift_score is on average with no shift, for as many independent requests. "
    "Real ones come in bursts, and give more.",
    _CHANNEL,
)
WINDOW_REQUESTS = Metric(
    "llm_drift_window_requests",
    "gauge",
    "Requests in this replica's sliding window that say something of the channel.",
    _CHANNEL,
    "requests",
)
EVIDENCE = Metric(
    "llm_drift_evidence",
    "gauge",
    "How unusual the requests of late are: the distance of their mean from the reference's, in the "
    "unit in which such means wandered within the reference's own time. Absent without requests "
    "in the window.",
    _CHANNEL,
)
THRESHOLD = Metric(
    "llm_drift_threshold",
    "gauge",
    "The evidence that traffic reaches by itself as often as the budget of false alarms says, by "
    "the reference's time and all that came after it.",
    _CHANNEL,
)
RATIO = Metric(
    "llm_drift_ratio",
    "gauge",
    "llm_drift_evidence divided by llm_drift_threshold. Of a side, 1 and above is an alarm; of a "
    "channel it says what moved, and promises nothing.",
    _CHANNEL,
    "ratio",
)
ALARMS = Metric(
    "llm_drift_alarms_total",
    "counter",
    "Times that llm_drift_ratio of a side has reached 1; once while it stays near. Begins at 0 "
    "with each start and each reference.",
    _SIDE,
)
OUTSIDE_RATIO = Metric(
    "llm_drift_out_of_distribution_ratio",
    "gauge",
    "Share of the window's requests that are further from the reference than 99 % of its own are: "
    "about 0.01 with no shift.",
    _SIDE,
    "ratio",
)
TOP_CHANNEL = Metric(
    "llm_drift_top_channel_info",
    "gauge",
    "The channel that moved most, and whether it is higher or lower than in the reference, or "
    "other (its shape, classes or direction); always 1, and absent while no ratio is above 0.8.",
    ("model", "side", "channel", "direction"),
    "info",
)
BIN_REQUESTS = Metric(
    "llm_drift_bin_requests_total",
    "counter",
    "Requests seen per bin of the reference, so that a recording rule scores all replicas of a "
    "model as one. Begins at 0 with each start and each reference.",
    (*_CHANNEL, "bin"),
    "requests",
)
REFERENCE_RATIO = Metric(
    "llm_drift_reference_ratio",
    "gauge",
    "Share of the reference's requests in this bin, smoothed by half a request: never 0.",
    (*_CHANNEL, "bin"),
    "ratio",
)
REFERENCE_INFO = Metric(
    "llm_drift_reference_info",
    "gauge",
    "The reference in use: a digest of its content, the version of the features, and whether it is "
    "a file that was given to all replicas or was learned by this one; always 1.",
    ("model", "digest", "features", "origin"),
    "info",
)
REFERENCE_AGE = Metric(
    "llm_drift_reference_age_seconds",
    "gauge",
    "Time since the last request of the reference; absent if its requests had no times.",
    _MODEL,
    "seconds",
)
REFERENCE_REQUESTS = Metric(
    "llm_drift_reference_requests",
    "gauge",
    "Requests of the reference that say something of the channel.",
    _CHANNEL,
    "requests",
)
REFERENCE_BLOCKS = Metric(
    "llm_drift_reference_blocks",
    "gauge",
    "Blocks of time that the reference is made of: how the traffic wanders is known from them.",
    _MODEL,
)
REFERENCE_ALARMS = Metric(
    "llm_drift_reference_alarms",
    "gauge",
    "Alarms that the reference's own period would have had at the threshold.",
    _SIDE,
)
BUDGET = Metric(
    "llm_drift_alert_budget_seconds",
    "gauge",
    "Mean time between false alarms that the threshold is made for, of a side.",
    _SIDE,
    "seconds",
)
LEARNED_RATIO = Metric(
    "llm_drift_learned_ratio",
    "gauge",
    "How much of the warm-up of a model's first reference is over, by time or by requests, "
    "whichever is less; 1 once there is a reference.",
    _MODEL,
    "ratio",
)

METRICS = (
    SCORE,
    SCORE_BY_CHANCE,
    WINDOW_REQUESTS,
    EVIDENCE,
    THRESHOLD,
    RATIO,
    ALARMS,
    OUTSIDE_RATIO,
    TOP_CHANNEL,
    BIN_REQUESTS,
    REFERENCE_RATIO,
    REFERENCE_INFO,
    REFERENCE_AGE,
    REFERENCE_REQUESTS,
    REFERENCE_BLOCKS,
    REFERENCE_ALARMS,
    BUDGET,
    LEARNED_RATIO,
)
