"""What GPU samples say that checks ask for, matched by the series' names.

No clock, no network, no logging: same arguments, same answer.
"""

from collections.abc import Iterator, Mapping, Sequence

from tidegauge.samples import Sample
from tidegauge.sources.environment.facts import Gpu

_Series = Mapping[str, str]


def gpus_in(samples: Sequence[Sample]) -> tuple[Gpu, ...]:
    """One Gpu per index seen, in order. Series of MIG instances say nothing of the whole device."""
    whole = [(sample, labels) for sample in samples if not (labels := _labels(sample)).get("gi")]
    indices = {labels["gpu"]: None for _, labels in whole if labels.get("gpu")}
    return tuple(
        _gpu(index, [(sample, labels) for sample, labels in whole if labels.get("gpu") == index])
        for index in sorted(indices, key=lambda index: (len(index), index))
    )


def _labels(sample: Sample) -> _Series:
    return dict(zip(sample.metric.labels, sample.labels, strict=True))


def _gpu(index: str, series: Sequence[tuple[Sample, _Series]]) -> Gpu:
    info = next((labels for one, labels in series if one.metric.name == "llm_gpu_info"), {})

    def first(name: str, **wanted: str) -> float | None:
        return next(_values(series, name, wanted), None)

    recovery = first("llm_gpu_recovery_action")
    retired = list(_values(series, "llm_gpu_retired_pages", {}))
    return Gpu(
        index=index,
        driver=info.get("driver", ""),
        cuda=info.get("cuda", ""),
        persistence=info.get("persistence", ""),
        uncorrected_errors=first("llm_gpu_ecc_errors", type="uncorrected", scope="volatile"),
        row_remap_pending=_flag(first("llm_gpu_row_remap_pending")),
        row_remap_failed=_flag(first("llm_gpu_row_remap_failed")),
        retired_pages=sum(retired) if retired else None,
        retired_pages_pending=_flag(first("llm_gpu_retired_pages_pending")),
        recovery_action=None if recovery is None else int(recovery),
    )


def _values(
    series: Sequence[tuple[Sample, _Series]], name: str, wanted: _Series
) -> Iterator[float]:
    for sample, labels in series:
        matches = sample.metric.name == name and wanted.items() <= labels.items()
        if matches and isinstance(sample.value, float | int):
            yield float(sample.value)


def _flag(value: float | None) -> bool | None:
    return None if value is None else value != 0
