"""``status``: how far the jobs of a store are."""

from dataclasses import dataclass
from pathlib import Path

from phase_diagrams import StoreError
from validation.cluster.submissions import Submission, live_elements
from validation.commands.submitted import Submitted


@dataclass(frozen=True)
class Status(Submitted):
    """Say for each submission how many runs are done and which elements wait or run."""

    def run(self) -> None:
        """Print one line for each submission and what to do next."""
        found = self.submissions()
        live = 0
        for folder, submission in found.items():
            elements = live_elements(folder, submission)
            live += len(elements)
            print(_line(folder, submission, elements))
        if live:
            print(f"{live} elements wait or run.")
        print(
            f"next: python -m validation collect {self.store}"
            + ("" if live else ", then the command of submission again if runs are missing")
        )


def _line(folder: Path, submission: Submission, live: list[int]) -> str:
    done = total = 0
    unreadable = []
    for element, batch in enumerate(submission.batches):
        total += len(batch)
        try:
            done += len(submission.finished(folder, element))
        except StoreError:
            unreadable.append(element)
    code = (submission.commit or "unknown")[:12] + (" with changes" if submission.dirty else "")
    parts = [
        f"{folder.name}: {submission.name} on {submission.cluster}, {submission.identity}",
        f"commit {code}",
        f"{done} of {total} runs done",
        f"{len(live)} of {len(submission.batches)} elements wait or run",
    ]
    if unreadable:
        parts.append(f"damaged elements {', '.join(map(str, unreadable))}")
    return "; ".join(parts)
