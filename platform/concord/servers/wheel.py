"""The servers' programs, as wheels carry them: found without importing the wheel, and put within reach."""

from __future__ import annotations

import shutil
import subprocess
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from concord.servers.data_directory import DataDirectory
from tenants.error import Invalid


class ServerMissing(Invalid):
    """The wheel with a server's programs is not installed, or not for this kind of machine."""


def package_directory(package: str) -> Path:
    """Return where a wheel's package lies, without importing it.

    :raises ServerMissing: when it is not installed.
    """
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ServerMissing(
            f"The Python package {package.replace('_', '-')} is not installed: "
            "run `make bootstrap`, or point DATABASE_URL and VALKEY_URL at servers of your own."
        )
    return Path(spec.origin).parent


def within_reach(data: DataDirectory, package: str, program: Path) -> Path:
    """Return the path of a wheel's program that the servers' account can run, copying the wheel's files if need be.

    ``program`` is relative to the package's directory.

    :raises ServerMissing: when it can't be run at all.
    """
    home = package_directory(package)
    if _runs(home / program, data):
        return home / program
    copy = data.servers / "programs" / f"{package}-{version(package.replace('_', '-'))}"
    if not (copy / package / program).exists():
        _copy(home, copy)
    if not _runs(copy / package / program, data):
        raise ServerMissing(f"{program.name} from {package.replace('_', '-')} can't be run on this kind of machine.")
    return copy / package / program


def _runs(program: Path, data: DataDirectory) -> bool:
    # Trying it tells more than permissions do: libraries are found, the machine is of the right kind.
    try:
        subprocess.run(  # noqa: S603 - the wheel's own program
            [program, "--version"], check=True, capture_output=True, cwd="/", timeout=60, **data.account.switch()
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def _copy(home: Path, copy: Path) -> None:
    shutil.rmtree(copy, ignore_errors=True)
    half = copy.with_name(copy.name + ".half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(mode=0o755, parents=True)
    # Programs look for their libraries in the sibling directory, by relative path.
    for source in (home, home.with_name(home.name + ".libs")):
        if source.is_dir():
            shutil.copytree(source, half / source.name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    half.parent.chmod(0o755)
    half.rename(copy)
