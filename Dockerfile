# Concord in a container: web, worker, relay, schedule and every other command of the CLI in one image.
# Built in two stages, so that no compiler, installer or source tree is in what runs. No Node is needed:
# the built assets are part of the package.

ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never
WORKDIR /source

# The packages come first: their layer stays while only our code changes.
COPY requirements/bootstrap.lock requirements/runtime.lock requirements/
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes --requirement requirements/bootstrap.lock
RUN python -m venv --without-pip /opt/concord \
    && /opt/build/bin/uv pip install --python /opt/concord/bin/python --compile-bytecode \
        --require-hashes --requirement requirements/runtime.lock

COPY pyproject.toml README.md LICENSE ./
COPY tenants tenants
COPY matching matching
COPY workers workers
COPY platform platform
RUN /opt/build/bin/hatchling build --target wheel --directory /wheel \
    && /opt/build/bin/uv pip install --python /opt/concord/bin/python --compile-bytecode --no-deps /wheel/*.whl

FROM python:${PYTHON}-slim AS runtime
# A number, not a name, so that an orchestrator can see that it is not root.
RUN groupadd --system --gid 10001 concord \
    && useradd --system --uid 10001 --gid concord --home-dir /var/lib/concord --create-home --shell /usr/sbin/nologin concord
COPY --from=build /opt/concord /opt/concord
# Compiled rankings are kept in NUMBA_CACHE_DIR; /opt/concord itself cannot be written to.
ENV PATH=/opt/concord/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 \
    CONCORD_DATA_DIR=/var/lib/concord \
    NUMBA_CACHE_DIR=/var/lib/concord/compiled
WORKDIR /var/lib/concord
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/health/live', timeout=4)"]
ENTRYPOINT ["concord"]
CMD ["web", "--host", "0.0.0.0", "--port", "8000"]
