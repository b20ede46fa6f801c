"""What the stand-in's devices say: the values of one GPU, and the waves whose truth is known."""

from collections.abc import Mapping
from dataclasses import dataclass

DRIVER_VERSION = "580.126.20"
CUDA_VERSION = 13_000  # 13.0, as nvmlSystemGetCudaDriverVersion writes it

# One busy device, in NVML's own units: percent, bytes, mW, mJ, MHz, ns, KiB; 0x4 is the software
# power cap. A field's second value is its nvmlValueType_t: 1 is an unsigned int.
H100: Mapping[str, tuple[int, ...]] = {
    "nvmlDeviceGetUtilizationRates": (87, 41),
    "nvmlDeviceGetMemoryInfo_v2": (85_520_809_984, 603_979_776, 24_916_830_208, 60_000_000_000),
    "nvmlDeviceGetMemoryInfo": (85_520_809_984, 24_916_830_208, 60_603_979_776),
    "nvmlDeviceGetFieldValues/186": (612_345, 1),
    "nvmlDeviceGetFieldValues/185": (598_000, 1),
    "nvmlDeviceGetPowerUsage": (598_000,),
    "nvmlDeviceGetEnforcedPowerLimit": (700_000,),
    "nvmlDeviceGetFieldValues/83": (98_765_432_109,),
    "nvmlDeviceGetTotalEnergyConsumption": (98_765_432_109,),
    "nvmlDeviceGetSamples/0": (612_345,),
    "nvmlDeviceGetSamples/1": (87,),
    "nvmlDeviceGetTemperatureV/0": (64,),
    "nvmlDeviceGetTemperature/0": (64,),
    "nvmlDeviceGetFieldValues/82": (71, 1),
    "nvmlDeviceGetMarginTemperature": (23,),
    "nvmlDeviceGetFanSpeed": (35,),
    "nvmlDeviceGetClockInfo/0": (1755,),
    "nvmlDeviceGetClockInfo/1": (1770,),
    "nvmlDeviceGetClockInfo/2": (2619,),
    "nvmlDeviceGetClockInfo/3": (1545,),
    "nvmlDeviceGetCurrentClocksEventReasons": (0x4,),
    "nvmlDeviceGetCurrentClocksThrottleReasons": (0x4,),
    # Throttle times in ns: power cap, sync boost, board limit, reliability, then the three that
    # this driver numbers 269 to 271 (software thermal, hardware thermal, power brake).
    "nvmlDeviceGetFieldValues/74": (12_500_000_000,),
    "nvmlDeviceGetFieldValues/75": (3_250_000_000,),
    "nvmlDeviceGetFieldValues/76": (0,),
    "nvmlDeviceGetFieldValues/77": (750_000_000,),
    "nvmlDeviceGetFieldValues/79": (0,),
    "nvmlDeviceGetFieldValues/269": (3_250_000_000,),
    "nvmlDeviceGetFieldValues/270": (1_000_000,),
    "nvmlDeviceGetFieldValues/271": (0,),
    # PCIe bytes, 32 bits that wrap.
    "nvmlDeviceGetFieldValues/197": (4_000_000_000, 1),
    "nvmlDeviceGetFieldValues/198": (1_500_000_000, 1),
    "nvmlDeviceGetFieldValues/94": (7, 1),
    "nvmlDeviceGetCurrPcieLinkGeneration": (5,),
    "nvmlDeviceGetCurrPcieLinkWidth": (16,),
    # NVLink: KiB sent and received; errors by kind.
    "nvmlDeviceGetFieldValues/138": (2_000_000,),
    "nvmlDeviceGetFieldValues/139": (3_000_000,),
    "nvmlDeviceGetFieldValues/38": (4,),
    "nvmlDeviceGetFieldValues/45": (0,),
    "nvmlDeviceGetFieldValues/52": (2,),
    "nvmlDeviceGetFieldValues/59": (1,),
    # ECC totals by nvmlMemoryErrorType_t (0 corrected) and nvmlEccCounterType_t (0 volatile).
    "nvmlDeviceGetTotalEccErrors/0/0": (3,),
    "nvmlDeviceGetTotalEccErrors/1/0": (0,),
    "nvmlDeviceGetTotalEccErrors/0/1": (17,),
    "nvmlDeviceGetTotalEccErrors/1/1": (1,),
    "nvmlDeviceGetFieldValues/142": (2, 1),
    "nvmlDeviceGetFieldValues/143": (1, 1),
    "nvmlDeviceGetFieldValues/144": (1, 1),
    "nvmlDeviceGetFieldValues/145": (0, 1),
    "nvmlDeviceGetFieldValues/230": (1, 1),
    "nvmlDeviceGetPersistenceMode": (1,),
    "nvmlDeviceGetEccMode": (1, 1),
    "nvmlDeviceGetMigMode": (0, 0),
    "nvmlDeviceGetMaxMigDeviceCount": (7,),
    # No process that we tell of; the call itself is supported.
    "nvmlDeviceGetComputeRunningProcesses_v3": (0,),
    "nvmlDeviceGetProcessUtilization": (0,),
    # GPM: percent and MiB/s, the second value divides the first.
    "nvmlGpmQueryDeviceSupport": (1,),
    "nvmlGpmMetricsGet/2": (625, 10),
    "nvmlGpmMetricsGet/3": (25,),
    "nvmlGpmMetricsGet/5": (3175, 100),
    "nvmlGpmMetricsGet/10": (48,),
    "nvmlGpmMetricsGet/20": (512,),
    "nvmlGpmMetricsGet/21": (2048,),
    "nvmlGpmMetricsGet/60": (100,),
    "nvmlGpmMetricsGet/61": (50,),
}

# What an older device says in place of fields 142 to 145: retired pages, and whether one waits.
RETIRED_PAGES: Mapping[str, tuple[int, ...]] = {
    "nvmlDeviceGetFieldValues/29": (5, 1),
    "nvmlDeviceGetFieldValues/30": (2, 1),
    "nvmlDeviceGetFieldValues/31": (1, 1),
}


def uuid(gpu: int) -> str:
    return f"GPU-00000000-0000-0000-0000-{gpu:012d}"


@dataclass(frozen=True, slots=True)
class Wave:
    """A square wave of power, at its peak while CLOCK_MONOTONIC modulo the period is below width.

    `time.monotonic_ns()` reads the same clock on Linux, so what was true is known to a test.
    """

    base_mw: int
    peak_mw: int
    period_ms: int
    width_ms: int

    def joules(self, start_ns: int, end_ns: int) -> float:
        """The true energy between two times of the clock.

        >>> Wave(100_000, 600_000, 1000, 200).joules(0, 2_000_000_000)
        400.0
        """
        return (self._picojoules(end_ns) - self._picojoules(start_ns)) / 1e12

    def bursts(self, start_ns: int, end_ns: int) -> int:
        """How many bursts lie wholly between two times of the clock."""
        period, width = self.period_ms * 1_000_000, self.width_ms * 1_000_000
        first = -(-start_ns // period)
        return max(0, (end_ns - width) // period - first + 1)

    def _picojoules(self, until_ns: int) -> int:
        period, width = self.period_ms * 1_000_000, self.width_ms * 1_000_000
        high = until_ns // period * width + min(until_ns % period, width)
        return self.base_mw * (until_ns - high) + self.peak_mw * high


@dataclass(frozen=True, slots=True)
class Instance:
    """A MIG device: its GPU and compute instance, and its memory in bytes."""

    gi: int
    ci: int
    profile: str = "1g.10gb"
    total: int = 10_200_547_328
    used: int = 4_000_000_000
    reserved: int = 60_817_408

    @property
    def uuid(self) -> str:
        return f"MIG-00000000-0000-0000-{self.gi:04d}-{self.ci:012d}"

    def values(self) -> Mapping[str, tuple[int, ...]]:
        """What its own handle says."""
        free = self.total - self.used - self.reserved
        return {
            "nvmlDeviceGetGpuInstanceId": (self.gi,),
            "nvmlDeviceGetComputeInstanceId": (self.ci,),
            "nvmlDeviceGetMemoryInfo_v2": (self.total, self.reserved, free, self.used),
            "nvmlDeviceGetMemoryInfo": (self.total, free, self.used + self.reserved),
        }
