"""The code that runs here: versions of packages, and the commit of the checkout it lies in."""

import contextlib
import importlib.metadata
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

#: The name under which the three packages are installed together.
_PROJECT = "grokking-effective-theory"
#: Variables that would point git at another repository, as within its hooks.
_REDIRECTIONS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
_SECONDS_OF_GIT = 30


def project_version() -> str:
    """Return the installed version of the three packages; "unknown" of a mere checkout."""
    return package_versions([_PROJECT]).get(_PROJECT, "unknown")


def package_versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the version of each package that is installed."""
    versions = {}
    for package in packages:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return versions


def checkout(folder: Path, *paths: str) -> tuple[str | None, list[str]]:
    """Return the commit that is checked out in a folder, and the files that differ from it.

    Parameters
    ----------
    folder
        The root of a working tree. Within another one it is no checkout of its own: a package
        that is installed somewhere in a user's repository does not have that one's commit.
    paths
        What may differ, relative to the folder; by default everything.

    Returns
    -------
    commit, changes
        The commit in hexadecimal, None if the folder is no checkout or git does not say; the
        paths of changed and of untracked files.
    """
    with contextlib.suppress(OSError, subprocess.SubprocessError, UnicodeDecodeError):
        root = _git(folder, "rev-parse", "--show-toplevel")
        if Path(root).samefile(folder):
            commit = _git(folder, "rev-parse", "--verify", "HEAD")
            changes = _git(folder, "status", "--porcelain", "--", *paths)
            return commit, [line[3:] for line in changes.splitlines()]
    return None, []


def commit_in_words(commit: str | None, changed: bool) -> str:
    """Return a commit as it is shown: its first digits, and whether files differ from it."""
    return "not known" if commit is None else f"{commit[:12]}{' with changes' * changed}"


def _git(folder: Path, *arguments: str) -> str:
    """Return what git prints; it takes no lock, as several workers may ask at once."""
    return subprocess.run(
        ["git", "--no-optional-locks", "-C", str(folder), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        timeout=_SECONDS_OF_GIT,
        env={name: text for name, text in os.environ.items() if name not in _REDIRECTIONS},
    ).stdout.strip("\n")
