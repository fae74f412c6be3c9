"""The ledger of reproduction: each published statement with what came of it."""

from pathlib import Path

from effective_theory import InputError
from effective_theory.checks import shown
from validation.experiments import degrok
from validation.experiments.experiment import Experiment, Verdict
from validation.experiments.images import (
    digits_grokking,
    digits_training_size,
    image_effective_loss,
    image_phases,
)
from validation.experiments.kernel_regime import (
    agop_grokking,
    kernel_drift,
    kernel_phases,
    mohamadi_collapse,
    mohamadi_escape,
    mohamadi_kernel,
    mohamadi_norm,
    mohamadi_published,
    mohamadi_regression,
    mohamadi_scale,
)
from validation.experiments.modular_arithmetic import (
    hu_fractions,
    hu_mlp_lstm,
    hu_optimizers,
    hu_power_fractions,
    liu_circle,
    liu_dropout,
    liu_phases,
    lottery_of_axes,
    power_operations,
    simple_weight_decay,
    softmax_collapse,
    transformer_phases,
)
from validation.experiments.records import Record, read_record

#: Records that the repository keeps.
RECORDS = Path(__file__).parents[1] / "records"
EXPERIMENTS: dict[str, Experiment] = {
    each.name: each
    for each in (
        hu_fractions.EXPERIMENT,
        hu_power_fractions.EXPERIMENT,
        hu_mlp_lstm.MLP,
        hu_mlp_lstm.LSTM,
        hu_optimizers.EXPERIMENT,
        simple_weight_decay.EXPERIMENT,
        transformer_phases.EXPERIMENT,
        liu_circle.CIRCLE,
        liu_circle.DIMENSION,
        liu_phases.EXPERIMENT,
        liu_dropout.EXPERIMENT,
        power_operations.EXPERIMENT,
        softmax_collapse.EXPERIMENT,
        mohamadi_escape.EXPERIMENT,
        mohamadi_kernel.EXPERIMENT,
        mohamadi_scale.EXPERIMENT,
        mohamadi_published.EXPERIMENT,
        mohamadi_norm.EXPERIMENT,
        mohamadi_collapse.EXPERIMENT,
        mohamadi_regression.EXPERIMENT,
        kernel_phases.EXPERIMENT,
        kernel_drift.EXPERIMENT,
        agop_grokking.EXPERIMENT,
        digits_grokking.EXPERIMENT,
        image_phases.DIGITS,
        image_phases.MNIST,
        digits_training_size.EXPERIMENT,
        image_effective_loss.EXPERIMENT,
        lottery_of_axes.EXPERIMENT,
        degrok.EXPERIMENT,
    )
}


def experiment_named(name: str) -> Experiment:
    """Return an experiment by its name.

    Raises
    ------
    InputError
        If there is none.
    """
    if name not in EXPERIMENTS:
        raise InputError(
            f"experiment {shown(name)} is unknown; known ones: {', '.join(EXPERIMENTS)}."
        )
    return EXPERIMENTS[name]


def record_of(experiment: Experiment, records: Path = RECORDS) -> Record | None:
    """Return the record of an experiment; None where there is none.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    path = records / experiment.name / "report.json"
    return read_record(path) if path.exists() else None


def entries(
    records: Path = RECORDS, verdict: Verdict | None = None
) -> list[tuple[Experiment, Record | None]]:
    """Return each experiment with its record; with a verdict those alone whose record has it."""
    every = [(each, record_of(each, records)) for each in EXPERIMENTS.values()]
    return [
        (each, record)
        for each, record in every
        if verdict is None or (record is not None and record.verdict == verdict)
    ]


def ledger(records: Path = RECORDS, verdict: Verdict | None = None) -> str:
    """Return the ledger as text, some lines for each experiment."""
    return "\n\n".join(_entry(*each, records) for each in entries(records, verdict))


def ledger_table(records: Path = RECORDS, verdict: Verdict | None = None) -> str:
    """Return the ledger as a table in Markdown."""
    head = ("experiment", "claim (source)", "bound", "came out", "measured", "minutes")
    rows = [head, *([("---",) * len(head)])]
    for each, record in entries(records, verdict):
        outcome = (_absent(records), "", "")
        if record is not None:
            outcome = (f"**{record.verdict}**", record.measured, _minutes(record))
        rows.append((f"`{each.name}`", f"{each.claim} ({each.source})", each.bound, *outcome))
    lines = (" | ".join(cell.replace("|", r"\|") for cell in row) for row in rows)
    return "\n".join(f"| {line} |" for line in lines)


def _minutes(record: Record) -> str:
    return f"{record.minutes:g}{' on top of stored runs' * record.resumed}"


def _absent(records: Path) -> str:
    """Return why an experiment has no record: an installed package has none of them."""
    return "no record yet" if records.is_dir() else "no record here: they come with a checkout"


def _entry(experiment: Experiment, record: Record | None, records: Path) -> str:
    lines = [
        f"{experiment.name}: {_absent(records) if record is None else record.verdict}",
        f"  claim     {experiment.claim} ({experiment.source})",
        f"  settings  {experiment.settings}",
        f"  bound     {experiment.bound}",
    ]
    if record is not None:
        lines.append(f"  measured  {record.measured}")
        lines.append(f"  minutes   {_minutes(record)}")
    return "\n".join(lines)
