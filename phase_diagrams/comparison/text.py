"""A comparison as text, for terminals and reports."""

import numpy as np

from phase_diagrams.comparison.comparing import BoundaryShift, Comparison, StepAgreement
from phase_diagrams.phases import RUN_PHASES, Phase
from phase_diagrams.wording import number, place_name

#: Runs with differing labels that are listed one by one.
_LISTED = 8


def comparison_text(comparison: Comparison) -> str:
    """Return a comparison as lines of text."""
    shared = comparison.shared
    a, b = comparison.names
    lines = [
        f"{shared} runs shared by {comparison.by}, of {comparison.runs[0]} in {a} and "
        f"{comparison.runs[1]} in {b}"
    ]
    if comparison.differences:
        lines.append(f"the sweeps differ in {'; '.join(comparison.differences)}")
    lines += [
        f"labels: {comparison.agreeing} of {shared} agree ({comparison.agreeing / shared:.1%}); "
        f"always {b}'s commonest: {comparison.commonest} ({comparison.commonest / shared:.1%}); "
        f"kappa {number(comparison.kappa, '.3f')}",
        *_table(comparison),
        *(_steps(name, found) for name, found in comparison.steps.items()),
        *(_shift(name, found) for name, found in comparison.shifts.items()),
        *_differing(comparison),
    ]
    return "\n".join(lines)


def _table(comparison: Comparison) -> list[str]:
    """Rows for the phases of a, columns for those of b, without phases that neither has."""
    table = comparison.table
    there = comparison.present
    labels = [RUN_PHASES[k].label for k in there]
    corner = f"{comparison.names[0]} \\ {comparison.names[1]}"
    margin = max(len(text) for text in (*labels, corner))
    widths = [max(len(text), 6) for text in labels]
    head = [f"{text:>{width}}" for text, width in zip(labels, widths, strict=True)]
    lines = ["  ".join([f"{corner:>{margin}}", *head])]
    for k, label in zip(there, labels, strict=True):
        counts = [f"{table[k, j]:>{width}}" for j, width in zip(there, widths, strict=True)]
        lines.append("  ".join([f"{label:>{margin}}", *counts]))
    return lines


def _steps(name: str, found: StepAgreement) -> str:
    title = "RQI" if name == "rqi" else name
    reached = f"reached in both {found.both}, in one {found.only_a + found.only_b}"
    if not found.both:
        return f"{title} steps: {reached}"
    return (
        f"{title} steps: {reached}; rank correlation {number(found.rank_correlation, '.4f')}, "
        f"differences: median {found.median_difference:g}, largest {found.largest_difference:g}, "
        f"{found.within} within {found.tolerance} updates"
    )


def _shift(name: str, found: BoundaryShift) -> str:
    once = found.only_a + found.only_b
    edges = f"edges of generalisation along {name}: {found.both} in both, {once} in one"
    if not found.both:
        return edges
    unit = f" {found.unit}" if found.unit else ""
    return f"{edges}; median shift {found.median:+.3g}{unit}, largest {found.largest:+.3g}{unit}"


def _differing(comparison: Comparison) -> list[str]:
    """List the first few runs whose labels differ."""
    first, second = comparison.phases
    places = [tuple(map(int, index)) for index in np.argwhere(first != second)]
    lines = []
    for place in places[:_LISTED]:
        cell = comparison.spec.cell(place)
        name = place_name(comparison.spec.texts_at(place), cell.seed)
        ours, theirs = (Phase(int(phases[place])).label for phases in (first, second))
        lines.append(f"  {name}: {ours}, {theirs}")
    if lines:
        lines.insert(0, f"differing labels ({', '.join(comparison.names)}):")
    if len(places) > _LISTED:
        lines.append(f"  and {len(places) - _LISTED} more")
    return lines
