"""A report on the agreement of simulator and PyTorch: a page, its numbers and its picture."""

import json
from collections.abc import Sequence
from pathlib import Path

from effective_theory.checks import of_type, path_of
from effective_theory.files import (
    FileKind,
    picture_kind,
    replacing,
    require_outputs,
    save_figure,
)
from phase_diagrams import PhaseDiagram
from phase_diagrams.phases import RUN_PHASES
from phase_diagrams.wording import describe
from validation.judge.engine_agreement import EngineAgreement
from validation.judge.report.figures import plot_agreement, plot_step_scatter
from validation.judge.report.numbers import numbers
from validation.judge.typical_cells import TypicalCell
from validation.pages import address, inline, rendered
from validation.provenance import Provenance

_TEMPLATE = "page.html"
_PICTURE = "agreement.png"
_KINDS = {
    "report.html": FileKind("a report", rb"<!DOCTYPE html>.*<title>Simulator and PyTorch: "),
    "report.json": FileKind("the numbers of a report", rb'\{\s*"holds": '),
}


def write_report(
    agreement: EngineAgreement,
    folder: str | Path,
    *,
    typical: Sequence[TypicalCell] = (),
) -> list[Path]:
    """Write report.html (one file, figures inside), report.json and agreement.png.

    Parameters
    ----------
    agreement
        What `validation.agreement` returned.
    folder
        Where to write; made if it is not there.
    typical
        Cells whose trajectories are shown; see `typical_cells`.

    Returns
    -------
    list of Path
        The files. There is no picture of a sweep over more than two axes, or of more than 16 seeds.

    Raises
    ------
    InputError
        If there is no agreement to report on, or a file cannot be written.
    """
    of_type("agreement", agreement, EngineAgreement, "what validation.agreement() returned")
    folder = path_of("folder", folder)
    files = report_files(agreement.simulator, folder)
    require_outputs(files, folder)
    provenance = Provenance.of(agreement.engine)
    content = numbers(agreement, typical, provenance)
    picture = None
    if (path := folder / _PICTURE) in files:
        save_figure(plot_agreement(agreement), path, str(agreement.simulator.spec))
        picture = address(path.read_bytes())
    page = _page(agreement, typical, provenance, content, picture)
    texts = page, json.dumps(content, indent=1, allow_nan=False) + "\n"
    for (path, kind), text in zip(files.items(), texts, strict=False):
        with replacing(path, kind) as file:
            file.write(text.encode())
    return list(files)


def report_files(diagram: PhaseDiagram, folder: Path) -> dict[Path, FileKind]:
    """Return the files of a report on a sweep, with their kinds."""
    files = {folder / name: kind for name, kind in _KINDS.items()}
    if diagram.fits_a_picture:
        files[folder / _PICTURE] = picture_kind(_PICTURE)
    return files


def _page(
    agreement: EngineAgreement,
    typical: Sequence[TypicalCell],
    provenance: Provenance,
    content: dict[str, object],
    picture: str | None,
) -> str:
    present = agreement.comparison.present
    return rendered(
        __name__,
        _TEMPLATE,
        agreement=agreement,
        spec=agreement.simulator.spec,
        describe=describe,
        comparison=agreement.comparison,
        provenance=provenance,
        content=content,
        labels=[RUN_PHASES[k].label for k in present],
        rows=[[int(agreement.comparison.table[k, j]) for j in present] for k in present],
        picture=picture,
        scatter=inline(plot_step_scatter(agreement)),
        typical=[(each, inline(each.check.plot())) for each in typical],
    )
