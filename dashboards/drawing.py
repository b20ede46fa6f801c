"""Panels as data become Grafana's own: the one place that knows the foundation SDK."""

from collections.abc import Iterator, Sequence
from typing import assert_never

from grafana_foundation_sdk.builders import (
    common,
    dashboard,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models import prometheus as prometheus_models

from dashboards.panels import COLUMNS, WHY_EMPTY, Look, Panel, Query, Row, State, Step

DATASOURCE = common_models.DataSourceRef(type_val="prometheus", uid="${datasource}")

Chart = timeseries.Panel | stat.Panel | table.Panel | statetimeline.Panel

_LETTERS = "ABCDEFGH"
_HIDDEN_COLUMNS = ("Time", "__name__", "alertstate", "job")
_VALUES = ("Value", "Value #A")
_FIRST_COLUMNS = (
    *("alertname", "severity", "pool", "model", "side", "channel", "direction"),
    *("replica", "instance"),
)


def _fixed(color: str) -> models.DynamicConfigValue:
    return models.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": color})


_LOOKS: dict[Look, list[models.DynamicConfigValue]] = {
    "measured": [],
    "configured": [
        _fixed("text"),
        models.DynamicConfigValue("custom.lineWidth", 1),
        models.DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [6, 6]}),
    ],
    "edge": [
        _fixed("text"),
        models.DynamicConfigValue("custom.lineWidth", 1),
        models.DynamicConfigValue("custom.hideFrom", {"legend": True, "tooltip": False}),
    ],
    "mark": [
        _fixed("red"),
        models.DynamicConfigValue("custom.drawStyle", "points"),
        models.DynamicConfigValue("custom.showPoints", "always"),
        models.DynamicConfigValue("custom.pointSize", 7),
        models.DynamicConfigValue("custom.hideFrom", {"legend": True, "tooltip": True}),
    ],
}


def draw(board: dashboard.Dashboard, rows: Sequence[Row]) -> dashboard.Dashboard:
    """Adds the rows. Ids are 100 * row + place, so that a new panel leaves other rows' ids alone.

    Raises:
        ValueError: the panels of a row leave a gap at the end of a line.
    """
    top = 0
    for number, row in enumerate(rows, start=1):
        board.with_row(dashboard.Row(row.title).id(number * 100).grid_pos(_place(0, top, COLUMNS)))
        bottom = top + 1
        for place, (panel, position) in enumerate(_laid_out(row, bottom), start=1):
            board.with_panel(_chart(panel).id(number * 100 + place).grid_pos(position))
            bottom = max(bottom, position.y + position.h)
        top = bottom
    return board


def _laid_out(row: Row, top: int) -> Iterator[tuple[Panel, models.GridPos]]:
    left = 0
    for panel in row.panels:
        if left + panel.width > COLUMNS:
            raise ValueError(f"{row.title!r}: {panel.title!r} does not fit beside its neighbours")
        yield panel, _place(left, top, panel.width, panel.height)
        left = (left + panel.width) % COLUMNS
        top += 0 if left else panel.height
    if left:
        raise ValueError(f"{row.title!r}: its last line is {left} columns wide, not {COLUMNS}")


def _place(x: int, y: int, w: int, h: int = 1) -> models.GridPos:
    return models.GridPos(x=x, y=y, w=w, h=h)


def _chart(panel: Panel) -> Chart:
    chart = _drawn(panel)
    chart.title(panel.title).description(panel.description).unit(panel.unit)
    chart.datasource(DATASOURCE).targets([*_targets(panel)])
    if panel.steps:
        chart.thresholds(_thresholds(panel.steps))
    if panel.states:
        chart.mappings([_mapping(panel.states)])
    if panel.decimals is not None:
        chart.decimals(panel.decimals)
    for reason in {query.needs for query in panel.queries if query.needs}:
        chart.no_value(WHY_EMPTY[reason])
    return chart


def _drawn(panel: Panel) -> Chart:
    match panel.shape:
        case "lines" | "bars" | "stacked":
            return _timeseries(panel)
        case "stat":
            return _stat(panel)
        case "table":
            return _table(panel)
        case "timeline":
            return _timeline()
        case _:
            assert_never(panel.shape)


def _timeseries(panel: Panel) -> timeseries.Panel:
    chart = (
        timeseries.Panel()
        .legend(_legend())
        .tooltip(
            common.VizTooltipOptions()
            .mode(common_models.TooltipDisplayMode.MULTI)
            .sort(common_models.SortOrder.DESCENDING)
        )
        .show_points(common_models.VisibilityMode.NEVER)
        .line_width(2)
    )
    if panel.shape != "lines":
        chart.fill_opacity(60).line_width(0)
        chart.stacking(common.StackingConfig().mode(common_models.StackingMode.NORMAL))
    if panel.shape == "bars":
        chart.draw_style(common_models.GraphDrawStyle.BARS)
    if panel.steps:
        mode = common_models.GraphThresholdsStyleMode.DASHED
        chart.thresholds_style(common.GraphThresholdsStyleConfig().mode(mode))
    if panel.low is not None:
        chart.axis_soft_min(panel.low)
    if panel.high is not None:
        chart.max(panel.high)
    bounds = [step.value for step in panel.steps if step.value is not None]
    if bounds:
        # A flat zero would stretch to any height, and a dashed line could be out of sight.
        chart.axis_soft_max(2 * max(bounds))
    for letter, query in zip(_LETTERS, panel.queries, strict=False):
        if look := _LOOKS[query.look]:
            chart.override_by_query(letter, look)
    for name, color in panel.colors:
        chart.override_by_name(name, [_fixed(color)])
    return chart


def _stat(panel: Panel) -> stat.Panel:
    color = "VALUE" if panel.steps else "NONE"
    named = len(panel.queries) > 1 or bool(panel.states)
    text = "VALUE_AND_NAME" if named else "AUTO"
    return (
        stat.Panel()
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .color_mode(common_models.BigValueColorMode[color])
        .text_mode(common_models.BigValueTextMode[text])
        .graph_mode(common_models.BigValueGraphMode.NONE)
    )


def _table(panel: Panel) -> table.Panel:
    hidden = _HIDDEN_COLUMNS if panel.value else (*_HIDDEN_COLUMNS, *_VALUES)
    columns = {
        "excludeByName": dict.fromkeys(hidden, True),
        "indexByName": {name: place for place, name in enumerate(_FIRST_COLUMNS)},
        "renameByName": dict.fromkeys(_VALUES, panel.value) if panel.value else {},
    }
    organized = models.DataTransformerConfig("organize", options=columns)
    chart = table.Panel().transformations([organized])
    if panel.value:
        chart.sort_by([common.TableSortByFieldState().display_name(panel.value)])
    return chart


def _timeline() -> statetimeline.Panel:
    return (
        statetimeline.Panel()
        .legend(_legend())
        .show_value(common_models.VisibilityMode.NEVER)
        .merge_values(True)  # noqa: FBT003 - the SDK's own signature
        .fill_opacity(80)
    )


def _legend() -> common.VizLegendOptions:
    return (
        common.VizLegendOptions()
        .display_mode(common_models.LegendDisplayMode.LIST)
        .placement(common_models.LegendPlacement.BOTTOM)
        .show_legend(True)  # noqa: FBT003 - the SDK's own signature
    )


def _targets(panel: Panel) -> Iterator[prometheus.Dataquery]:
    for letter, query in zip(_LETTERS, panel.queries, strict=False):
        yield _target(panel, query).ref_id(letter)


def _target(panel: Panel, query: Query) -> prometheus.Dataquery:
    target = prometheus.Dataquery().datasource(DATASOURCE).expr(query.expr)
    target.legend_format(query.legend)
    if panel.shape == "table":
        return target.instant().format(prometheus_models.PromQueryFormat.TABLE)
    return target.instant() if panel.shape == "stat" else target.range()


def _thresholds(steps: Sequence[Step]) -> dashboard.ThresholdsConfig:
    return (
        dashboard.ThresholdsConfig()
        .mode(models.ThresholdsMode.ABSOLUTE)
        .steps([models.Threshold(value=step.value, color=step.color) for step in steps])
    )


def _mapping(states: Sequence[State]) -> models.ValueMap:
    return models.ValueMap(
        {
            str(state.value): models.ValueMappingResult(text=state.text, color=state.color, index=i)
            for i, state in enumerate(states)
        }
    )
