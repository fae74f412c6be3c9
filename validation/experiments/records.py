"""Records of experiments: a page with figures and a JSON file with every number."""

import json
import platform
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from effective_theory import InputError
from effective_theory.files import (
    FileKind,
    replacing,
    require_outputs,
    save_figure,
)
from effective_theory.installation import commit_in_words, package_versions
from effective_theory.machine import describe_machine
from validation.experiments.experiment import Experiment, Run, Verdict
from validation.provenance import code_version

_KINDS = {
    "report.html": FileKind("a page of an experiment", rb"<!DOCTYPE html>.*<title>Experiment: "),
    "report.json": FileKind("a record of an experiment", rb'\{\s*"experiment": '),
}
_PACKAGES = ("grokking-effective-theory", "numpy", "torch")


@dataclass(frozen=True)
class Record:
    """What a run of an experiment left.

    Attributes
    ----------
    experiment
        Its name.
    claim, source, settings, bound
        As the experiment said them when it was run.
    quick
        Whether it was a quick run, which decides nothing.
    verdict, measured, numbers
        What came out.
    minutes, resumed
        How long the run took, in minutes, and whether it went on from stored runs.
    provenance
        Commit, versions, machine and device.
    """

    experiment: str
    claim: str
    source: str
    settings: str
    bound: str
    quick: bool
    verdict: Verdict
    measured: str
    numbers: dict[str, Any]
    minutes: float
    resumed: bool
    provenance: dict[str, str]


def run_experiment(
    experiment: Experiment,
    folder: Path,
    *,
    quick: bool = False,
    jobs: int | None = None,
    device: str = "cpu",
    images: Path | None = None,
    labels: Path | None = None,
) -> Record:
    """Run an experiment, leave its page, numbers and figures in a folder, and return the record.

    They are report.html, report.json and figure-1.png, figure-2.png.. Finished runs lie in
    runs.sqlite there: the same call goes on where it was.

    Parameters
    ----------
    experiment
        What is run.
    folder
        Where all is left; made if it is not there.
    quick, jobs, device, images, labels
        As `Run` has them.

    Raises
    ------
    InputError
        If a file of another kind is in the way, or an argument is wrong.
    """
    from validation.engine.devices import device_named
    from validation.engine.torch_origin import device_name
    from validation.pages import inline, rendered

    on = device_name(device_named(device))
    store = folder / "runs.sqlite"
    files = {folder / name: kind for name, kind in _KINDS.items()}
    require_outputs(files, folder, store)
    # Sweeps keep their runs in the store, single trainings their checkpoints beside it.
    resumed, began = store.exists() or any(folder.glob("*.pt")), time.monotonic()
    found = experiment.measure(Run(store, quick, jobs, device, images, labels))
    record = Record(
        experiment=experiment.name,
        claim=experiment.claim,
        source=experiment.source,
        settings=experiment.settings,
        bound=experiment.bound,
        quick=quick,
        verdict=found.verdict,
        measured=found.measured,
        numbers=found.numbers,
        minutes=round((time.monotonic() - began) / 60, 1),
        resumed=resumed,
        provenance={**_provenance(), "device": on},
    )
    figures = [(caption, inline(figure)) for caption, figure in found.figures]
    page = rendered(__package__, "page.html", experiment=experiment, record=record, figures=figures)
    content = json.dumps(asdict(record), indent=1, allow_nan=False) + "\n"
    for (path, kind), text in zip(files.items(), (page, content), strict=True):
        with replacing(path, kind) as file:
            file.write(text.encode())
    for number, (caption, figure) in enumerate(found.figures, start=1):
        about = f"{experiment.name}: {caption}; {experiment.settings}"
        save_figure(figure, folder / f"figure-{number}.png", about)
    return record


def read_record(path: Path) -> Record:
    """Return the record that a report.json holds.

    Raises
    ------
    InputError
        If the file cannot be read or is no record.
    """
    try:
        return Record(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"record {path} cannot be read ({error}).") from None


def _provenance() -> dict[str, str]:
    commit, dirty = code_version(allow_dirty=True)
    return {
        "commit": commit_in_words(commit, dirty),
        "machine": describe_machine(),
        "python": platform.python_version(),
        **package_versions(_PACKAGES),
    }
