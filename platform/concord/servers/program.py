"""The programs that make up a running Concord beside its servers: the one list of them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from urllib.error import URLError
from urllib.request import urlopen

from concord.log import LOG_LEVEL
from concord.servers.child import Child
from concord.servers.port import LOOPBACK, is_free
from concord.servers.supervisor import Supervisor
from concord.settings import Deployment, Settings
from tenants.error import Conflict

WORKERS = 2
ANSWER_SECONDS = 60.0
CRASHES = 5


class PortTaken(Conflict):
    """Another program listens where one of ours should."""


class ProgramFailed(Conflict):
    """A program that is part of Concord doesn't come up."""


def job_programs(deployment: Deployment, *, workers: int = WORKERS, quiet: bool = False) -> tuple[Child, ...]:
    """Return what does the jobs: the relay and the workers; ``quiet`` ones log only what went wrong."""
    return (
        _program(deployment, "relay", quiet=quiet),
        *(_program(deployment, "worker", f"worker-{number}", quiet=quiet) for number in range(1, workers + 1)),
    )


def start_jobs(supervisor: Supervisor, deployment: Deployment, *, workers: int = WORKERS) -> Callable[[], None]:
    """Start what does the jobs, for a command that waits for some, and return what checks that it comes up.

    It raises ``ProgramFailed`` once the relay, or every worker, has crashed again and again.
    """
    children = job_programs(deployment, workers=workers, quiet=True)
    for child in children:
        supervisor.start(child)
    relay, *names = (child.name for child in children)

    def check() -> None:
        for needed in ([relay], names):
            if all(supervisor.crashes(name) >= CRASHES for name in needed):
                raise ProgramFailed(
                    f"The {needed[0].partition('-')[0]} doesn't come up, so nobody does the jobs. "
                    "The lines above say why; `concord doctor` may know more."
                )

    return check


def site_programs(deployment: Deployment) -> tuple[Child, ...]:
    """Return what serves people: the development provider in demo mode, the schedule and the site."""
    provider = (_program(deployment, "provider"),) if deployment.demo else ()
    return (*provider, _program(deployment, "schedule"), _program(deployment, "web"))


def start_programs(supervisor: Supervisor, deployment: Deployment, *, workers: int = WORKERS) -> str:
    """Start every program and wait until the site answers; return its address.

    :raises PortTaken: when the site's port, or in demo mode the provider's, is in use.
    :raises ProgramFailed: when the site doesn't come up.
    """
    for child in job_programs(deployment, workers=workers):
        supervisor.start(child)
    return start_site(supervisor, deployment)


def start_site(supervisor: Supervisor, deployment: Deployment) -> str:
    """Start what serves people and wait until the site answers; return its address.

    :raises PortTaken: when the site's port, or in demo mode the provider's, is in use.
    :raises ProgramFailed: when the site doesn't come up.
    """
    require_ports(deployment)
    for child in site_programs(deployment):
        supervisor.start(child)
    url = f"http://{LOOPBACK}:{deployment.port}"
    deadline = time.monotonic() + ANSWER_SECONDS
    while not answers(f"{url}/health/live"):
        if time.monotonic() > deadline or supervisor.crashes("web") >= CRASHES:
            raise ProgramFailed("The site doesn't come up. The lines above say why; `concord doctor` may know more.")
        time.sleep(0.1)
    return url


def require_ports(deployment: Deployment | Settings) -> None:
    """Check, before anything is started, that the ports are free.

    :raises PortTaken: naming the port and how to choose another.
    """
    if not is_free(deployment.port):
        raise PortTaken(
            f"Port {deployment.port} is in use by another program. Stop that, or choose another with --port."
        )
    if deployment.demo and not is_free(deployment.provider_port):
        raise PortTaken(
            f"Port {deployment.provider_port} is in use by another program. "
            "Stop that, or choose another for the development provider with CONCORD_PROVIDER_PORT."
        )


def answers(url: str) -> bool:
    """Say whether an HTTP server answers well at this address."""
    try:
        with urlopen(url, timeout=5) as answer:  # noqa: S310 - our own loopback address
            return bool(200 <= answer.status < 300)
    except (URLError, OSError):
        return False


def _program(deployment: Deployment, command: str, name: str = "", *, quiet: bool = False) -> Child:
    # -P: the directory one happens to be in never decides what is imported.
    line = (sys.executable, "-P", "-m", "concord", command)
    return Child(name=name or command, command=line, environment=environment_for(deployment, command, quiet=quiet))


def environment_for(deployment: Deployment, command: str, *, quiet: bool = False) -> dict[str, str]:
    """Return the variables for one program: no address that it has no use for, the administrator's least of all."""
    ours = deployment.environment()
    # What came from a file is handed on as read: a variable beside its file would be refused.
    given = {**{name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in ours}, **ours}
    if quiet or deployment.demo:
        # Somebody reads this terminal: a line for each job would bury what they came for.
        given.setdefault(LOG_LEVEL, "WARNING")
    unused = {"DATABASE_ADMIN_URL", "DATABASE_MIGRATE_URL"} | (set() if command == "relay" else {"DATABASE_RELAY_URL"})
    # Whoever gets into a process that people or files reach must not find there what signs the audit.
    unused |= set() if command == "schedule" else {"CONCORD_AUDIT_KEY"}
    return {name: value for name, value in given.items() if name.removesuffix("_FILE") not in unused}
