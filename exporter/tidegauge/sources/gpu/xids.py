"""The Xids that we know, from NVIDIA's catalogue for Ampere and later.

https://docs.nvidia.com/deploy/xid-errors/analyzing-xid-catalog.html has what to do about each.
Data only. `llm_gpu_xid_errors_total` is there at 0 for every row, so that `increase()` sees the
first one; others are counted once they are seen. docs/xid.md is written from this table.
"""

from dataclasses import dataclass
from typing import Literal

Cause = Literal["application", "driver", "hardware", "link", "note"]
"""What is most often behind it: the program that ran, the driver or its firmware, the device, its
links (PCIe, NVLink); a note says that something was done about another one."""


@dataclass(frozen=True, slots=True)
class KnownXid:
    code: int
    cause: Cause
    meaning: str


KNOWN: tuple[KnownXid, ...] = (
    KnownXid(8, "application", "The device stopped working on a program."),
    KnownXid(11, "application", "Invalid or damaged commands were sent to the device."),
    KnownXid(
        13, "application", "A kernel failed: an access out of bounds, an illegal instruction."
    ),
    KnownXid(25, "application", "Invalid or damaged commands were sent to the device."),
    KnownXid(31, "application", "A kernel used an address that is not mapped (page fault)."),
    KnownXid(32, "link", "Commands arrived damaged, mostly because of the PCIe link."),
    KnownXid(37, "driver", "The driver's firmware failed."),
    KnownXid(38, "driver", "The driver's firmware did not answer in time."),
    KnownXid(39, "application", "Copy engine 0 failed."),
    KnownXid(40, "application", "Copy engine 1 failed."),
    KnownXid(41, "application", "Copy engine 2 failed."),
    KnownXid(43, "application", "A program failed and was stopped; the device is well."),
    KnownXid(44, "driver", "The device failed while it changed from one program to another."),
    KnownXid(45, "note", "A program's work was removed: it was killed, or another Xid came first."),
    KnownXid(46, "driver", "The device stopped working and needs a reset."),
    KnownXid(48, "hardware", "A memory error that could not be corrected (double bit)."),
    KnownXid(54, "hardware", "The board's auxiliary power is not connected."),
    KnownXid(62, "driver", "A microcontroller of the device halted."),
    KnownXid(63, "note", "A memory row was remapped, or a page retired, after errors."),
    KnownXid(64, "hardware", "A memory row could not be remapped, or a page not retired."),
    KnownXid(66, "driver", "The driver made an illegal access."),
    KnownXid(67, "driver", "The driver made an illegal access."),
    KnownXid(69, "application", "A program used a graphics or compute class wrongly."),
    KnownXid(70, "application", "Copy engine 3 failed."),
    KnownXid(71, "application", "Copy engine 4 failed."),
    KnownXid(72, "application", "Copy engine 5 failed."),
    KnownXid(74, "link", "NVLink failed, here or at the other end."),
    KnownXid(75, "application", "Copy engine 6 failed."),
    KnownXid(76, "application", "Copy engine 7 failed."),
    KnownXid(77, "application", "Copy engine 8 failed."),
    KnownXid(79, "hardware", "The device has fallen off the bus: PCIe no longer reaches it."),
    KnownXid(80, "application", "Damaged data was sent to the device."),
    KnownXid(85, "application", "Copy engine 9 failed."),
    KnownXid(92, "hardware", "Single bit memory errors come at a high rate."),
    KnownXid(94, "hardware", "An uncorrectable memory error, contained to one program."),
    KnownXid(95, "hardware", "An uncorrectable memory error that may have reached every program."),
    KnownXid(109, "driver", "A change from one program to another took too long."),
    KnownXid(110, "hardware", "A security fault, which should be rare unless hardware fails."),
    KnownXid(119, "driver", "The device's system processor (GSP) did not answer in time."),
    KnownXid(120, "driver", "The device's system processor (GSP) failed."),
    KnownXid(121, "link", "Errors on the link to the CPU (C2C) were corrected."),
    KnownXid(136, "link", "NVLink could not be trained."),
    KnownXid(137, "application", "An illegal access to a peer over NVLink."),
    KnownXid(140, "hardware", "An uncorrectable memory error that the driver could not put away."),
    KnownXid(141, "driver", "CUDA's fast path to the device failed."),
    KnownXid(143, "driver", "The device could not be initialised."),
    KnownXid(144, "link", "NVLink 5 failed (SAW)."),
    KnownXid(145, "link", "NVLink 5 failed (RLW)."),
    KnownXid(146, "link", "NVLink 5 failed (TLW)."),
    KnownXid(147, "link", "NVLink 5 failed (TREX)."),
    KnownXid(148, "link", "NVLink 5 failed (NVLPW_CTRL)."),
    KnownXid(149, "link", "NVLink 5 failed (NETIR)."),
    KnownXid(150, "link", "NVLink 5 failed (MSE)."),
    KnownXid(151, "driver", "A key of confidential computing could not be changed."),
    KnownXid(154, "note", "The action that the driver asks for changed (llm_gpu_recovery_action)."),
    KnownXid(155, "link", "NVLink went down on purpose, or by software."),
    KnownXid(156, "note", "A resource of the device was taken out of use."),
    KnownXid(157, "hardware", "A resource could not be taken out of use: no spare is left."),
    KnownXid(158, "driver", "The device did not answer in time and needs a reset."),
    KnownXid(167, "link", "PCIe timed out for good."),
    KnownXid(171, "hardware", "An uncorrectable error in device memory (comes with 48)."),
    KnownXid(172, "hardware", "An uncorrectable error in on-chip memory (comes with 48)."),
)
