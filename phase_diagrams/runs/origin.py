"""Where a run comes from: what an engine's version alone does not say of its bits."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from effective_theory.installation import checkout, commit_in_words
from phase_diagrams.sweeps.systems import System

#: What makes the machine code: another version of it may round in another way.
_COMPILERS = ("numba", "llvmlite", "torch", "cuda", "triton")
#: The folders whose files decide on a run.
SOURCES = ("effective_theory", "phase_diagrams", "validation")
#: Among the versions: the hash of a user's own code, by its system.
SOURCE = "source of "


@dataclass(frozen=True)
class Origin:
    """What made a run, besides the engine under whose name it is stored.

    One engine's version gives the same bits on the same instruction set; another one may sum in
    another order, and a run near a border of phases may end in another one.

    Attributes
    ----------
    instruction_set
        What the code was compiled for, or the device and its vector instructions.
    versions
        Pairs of a package and its version, sorted.
    commit
        Commit of the code in hexadecimal, with "-dirty" behind it if files differed from it; None
        outside a git checkout.
    """

    instruction_set: str
    versions: tuple[tuple[str, str], ...]
    commit: str | None

    def __str__(self) -> str:
        """Return instruction set, versions and commit in words."""
        versions = ", ".join(f"{package} {version}" for package, version in self.versions)
        return f"{self.instruction_set}; {versions}; commit {_in_words(self.commit)}"

    def to_json(self) -> str:
        """Return the origin as JSON, always in the same form."""
        content = {
            "instruction_set": self.instruction_set,
            "versions": dict(self.versions),
            "commit": self.commit,
        }
        return json.dumps(content, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Origin":
        """Return the origin that `to_json` wrote.

        Raises
        ------
        ValueError
            If the text is not such an origin.
        """
        return _read(text)

    def parts(self) -> dict[str, str]:
        """Return everything in which two origins may differ, in words and by name."""
        own = {"instruction set": self.instruction_set, "commit": _in_words(self.commit)}
        # A package may have any name.
        versions = {f"package {p}" if p in own else p: version for p, version in self.versions}
        return {"instruction set": own["instruction set"], **versions, "commit": own["commit"]}


def _in_words(commit: str | None) -> str:
    return commit_in_words(commit, commit is not None and commit.endswith("-dirty"))


@cache
def _read(text: str) -> Origin:
    """Read one of the few origins that the rows of a store share."""
    try:
        content = json.loads(text)
        versions = tuple(sorted(content["versions"].items()))
        origin = Origin(content["instruction_set"], versions, content["commit"])
        texts = [origin.instruction_set, *(word for pair in versions for word in pair)]
        sound = all(isinstance(word, str) for word in [*texts, origin.commit or ""])
        if sound and origin.to_json() == text:
            return origin
    except (TypeError, KeyError, AttributeError, RecursionError):
        pass
    raise ValueError("no origin")


@cache
def code_commit() -> str | None:
    """Return the commit of this code as `Origin` has it; git is asked once in a process."""
    commit, changes = checkout(Path(__file__).parents[2], *SOURCES)
    return f"{commit}-dirty" if commit is not None and changes else commit


def mixtures(origins: Mapping[Origin | None, int], system: System) -> list[str]:
    """Return what is to be said where runs of one diagram come from several origins.

    Parameters
    ----------
    origins
        How many runs come from each; None for those whose origin was not recorded.
    system
        The system whose runs they are.
    """
    present = [origin for origin in origins if origin is not None]
    sentences = []
    if differing := _differing(present):
        sentence = "runs of several origins are mixed: " + ", ".join(
            f"{name} ({'; '.join(values)})" for name, values in differing.items()
        )
        if any(name in ("instruction set", *_COMPILERS) for name in differing):
            sentence += (
                "; another instruction set or compiler may round in another way, and cells near a "
                "border of phases may differ: compare phases from one origin."
            )
        elif system.version is None:
            sentence += "; the engine's version is the same, so their bits should not differ."
        else:
            sentence += "; compare phases from one origin where that may change a run."
        sentences.append(sentence)
    if present and None in origins:
        sentences.append(
            f"origin of {origins[None]} of {sum(origins.values())} runs is not known: they were "
            "stored by an earlier version, perhaps on another instruction set."
        )
    return sentences + _changed_source(origins, system)


def _changed_source(origins: Mapping[Origin | None, int], system: System) -> list[str]:
    """Return what is to be said where a user's own code is no longer that of stored runs."""
    if system.source is None:
        return []
    name = f"{SOURCE}{system.name}"
    sources = {origin: dict(origin.versions).get(name) for origin in origins if origin is not None}
    count = sum(origins[o] for o, source in sources.items() if source not in (None, system.source))
    if not count:
        return []
    return [
        f"{count} run{'s' * (count > 1)} of system {system.name!r} were made by another source of "
        f"version {system.version}; where that changes results register it with "
        f"version={(system.version or 0) + 1}."
    ]


def _differing(origins: Iterable[Origin]) -> dict[str, list[str]]:
    """Return what is not the same in all origins, with its values."""
    parts: list[dict[str, Any]] = [origin.parts() for origin in origins]
    names = dict.fromkeys(name for each in parts for name in each)
    values = {name: sorted({each.get(name, "absent") for each in parts}) for name in names}
    return {name: several for name, several in values.items() if len(several) > 1}
