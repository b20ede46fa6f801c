"""What a GPU says of its own health: memory errors, what it repaired, and Xids."""

from tidegauge.catalog.metric import Metric

_SERIES = ("gpu", "uuid")

ECC_ERRORS = Metric(
    "llm_gpu_ecc_errors",
    "gauge",
    "Memory errors (type corrected or uncorrected), since the driver was loaded (scope volatile) "
    "or ever (scope aggregate).",
    (*_SERIES, "type", "scope"),
)
REMAPPED_ROWS = Metric(
    "llm_gpu_remapped_rows",
    "gauge",
    "Memory rows replaced by spare ones after correctable or uncorrectable errors.",
    (*_SERIES, "cause"),
)
ROW_REMAP_PENDING = Metric(
    "llm_gpu_row_remap_pending",
    "gauge",
    "1 if a row waits for a reset of the device to be replaced, else 0.",
    _SERIES,
)
ROW_REMAP_FAILED = Metric(
    "llm_gpu_row_remap_failed",
    "gauge",
    "1 if a row could not be replaced, as no spare one was left, else 0.",
    _SERIES,
)
RETIRED_PAGES = Metric(
    "llm_gpu_retired_pages",
    "gauge",
    "Memory pages taken out of use after single or double bit errors, on devices that don't remap.",
    (*_SERIES, "cause"),
)
RETIRED_PAGES_PENDING = Metric(
    "llm_gpu_retired_pages_pending",
    "gauge",
    "1 if a page waits for a reboot to be taken out of use, else 0.",
    _SERIES,
)
RECOVERY_ACTION = Metric(
    "llm_gpu_recovery_action",
    "gauge",
    "What the driver asks for: 0 nothing, 1 reset the device, 2 reboot the node, 3 drain peers, "
    "4 drain and reset, and what newer drivers add.",
    _SERIES,
)
XID_ERRORS = Metric(
    "llm_gpu_xid_errors_total",
    "counter",
    "Errors that the driver reported, by Xid; known ones are there from the start.",
    (*_SERIES, "xid"),
)
XID_LAST = Metric(
    "llm_gpu_xid_last_timestamp_seconds",
    "gauge",
    "Unix time at which this Xid was seen last.",
    (*_SERIES, "xid"),
    "seconds",
)

METRICS = (
    ECC_ERRORS,
    REMAPPED_ROWS,
    ROW_REMAP_PENDING,
    ROW_REMAP_FAILED,
    RETIRED_PAGES,
    RETIRED_PAGES_PENDING,
    RECOVERY_ACTION,
    XID_ERRORS,
    XID_LAST,
)
