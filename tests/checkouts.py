"""Git working trees that tests make."""

import subprocess
from pathlib import Path


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder, as somebody with a name, and return what it prints."""
    author = ("-c", "user.name=a", "-c", "user.email=a@b")
    command = ["git", "-C", str(folder), *author, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
