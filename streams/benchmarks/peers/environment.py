"""An environment of its own for a peer whose requirements do not go with ours."""

import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

MADE = "made.txt"  # what was installed, written last


def python_of(folder: Path, packages: Sequence[str], without_dependencies: Sequence[str]) -> Path:
    """The interpreter of an environment with these packages; made unless it is there already.

    Raises:
        subprocess.CalledProcessError: a package could not be installed; pip has said why.
    """
    python = folder / "bin" / "python"
    wanted = "\n".join((*packages, *without_dependencies))
    made = folder / MADE
    if made.exists() and made.read_text() == wanted:
        return python
    uv = shutil.which("uv")
    if uv:
        run(uv, "venv", "-q", "--clear", "-p", sys.executable, folder)
        install: list[str | Path] = [uv, "pip", "install", "-q", "--python", python]
    else:
        venv.create(folder, clear=True, with_pip=True)
        install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        install += ["--no-compile"]
    run(*install, *packages)
    if without_dependencies:
        run(*install, "--no-deps", *without_dependencies)
    made.write_text(wanted)
    return python


def run(*command: str | Path) -> None:
    """To its end; raises subprocess.CalledProcessError where it fails."""
    subprocess.run(command, check=True)  # noqa: S603 (our own arguments)
