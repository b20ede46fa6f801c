"""What changes seldom, or is asked for after something went wrong: the slow tier."""

from tidegauge.catalog import gpu_health as catalog
from tidegauge.catalog import gpu_links as links
from tidegauge.sources.gpu import nvml_now as nvml
from tidegauge.sources.gpu.nvml import Handle
from tidegauge.sources.gpu.nvml_fields import ALL_LINKS
from tidegauge.sources.gpu.question import Field, Question, one

_KIB = 1024


def _ecc(kind: int, scope: int) -> Question:
    # nvmlMemoryErrorType_t and nvmlEccCounterType_t
    labels = (("corrected", "uncorrected")[kind], ("volatile", "aggregate")[scope])

    def errors(device: Handle) -> float:
        return float(nvml.ecc_errors(device, kind, scope))

    name = f"nvmlDeviceGetTotalEccErrors/{kind}/{scope}"
    return (one(name, catalog.ECC_ERRORS, errors, *labels),)


def _link_bytes(newer: int, older: int, direction: str) -> Question:
    """NVLink 5 counts bytes in fields of its own; before it, KiB."""
    return (
        Field(newer, links.NVLINK_BYTES, (direction,), scope=ALL_LINKS),
        Field(older, links.NVLINK_BYTES, (direction,), scale=_KIB, scope=ALL_LINKS),
    )


def _link_errors(number: int, kind: str) -> Question:
    return (Field(number, links.NVLINK_ERRORS, (kind,), scope=ALL_LINKS),)


# Up to NVLink 4: totals over all links, which have no scope.
_LINK_ERRORS_BEFORE_5: tuple[Question, ...] = tuple(
    (Field(number, links.NVLINK_ERRORS, (kind,)),)
    for number, kind in ((38, "crc_flit"), (45, "crc_data"), (52, "replay"), (59, "recovery"))
)

# NVLink 5. Left out: successful recoveries are no errors (213), bit error rates no counts
# (216 to 218, 220).
_LINK_ERRORS_5: tuple[Question, ...] = (
    _link_errors(206, "malformed_packet"),
    _link_errors(207, "buffer_overrun"),
    _link_errors(208, "receive"),
    _link_errors(209, "receive_remote"),
    _link_errors(210, "receive_general"),
    _link_errors(211, "local_link_integrity"),
    _link_errors(212, "transmit_discard"),
    _link_errors(214, "recovery_failed"),
    _link_errors(215, "recovery_event"),
    _link_errors(219, "effective"),
    _link_errors(221, "symbol"),
)

SLOW: tuple[Question, ...] = (
    _ecc(0, 0),
    _ecc(1, 0),
    _ecc(0, 1),
    _ecc(1, 1),
    (Field(142, catalog.REMAPPED_ROWS, ("correctable",)),),
    (Field(143, catalog.REMAPPED_ROWS, ("uncorrectable",)),),
    (Field(144, catalog.ROW_REMAP_PENDING),),
    (Field(145, catalog.ROW_REMAP_FAILED),),
    (Field(29, catalog.RETIRED_PAGES, ("single_bit",)),),
    (Field(30, catalog.RETIRED_PAGES, ("double_bit",)),),
    (Field(31, catalog.RETIRED_PAGES_PENDING),),
    (Field(230, catalog.RECOVERY_ACTION),),
    (one("nvmlDeviceGetCurrPcieLinkGeneration", links.PCIE_GENERATION, nvml.pcie_generation),),
    (one("nvmlDeviceGetCurrPcieLinkWidth", links.PCIE_WIDTH, nvml.pcie_width),),
    (Field(94, links.PCIE_REPLAYS),),
    _link_bytes(202, 138, "tx"),
    _link_bytes(204, 139, "rx"),
    *_LINK_ERRORS_BEFORE_5,
    *_LINK_ERRORS_5,
)
