# The app in a container; docs/serving.md says how to run it.
#   docker build -t qfl-explore .
#   docker run --rm -p 127.0.0.1:5006:5006 qfl-explore
FROM python:3.11-slim

ENV TF_USE_LEGACY_KERAS=1 \
    TF_CPP_MIN_LOG_LEVEL=2 \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore

WORKDIR /app

# The pinned packages first: they change rarely, and a new version of the app reuses them.
COPY requirements.lock ./
RUN pip install --compile -r requirements.lock

COPY pyproject.toml README.md LICENSE ./
COPY qfl_explore ./qfl_explore
COPY notebooks ./notebooks
RUN pip install --no-deps --editable .

# Nobody is root inside. Data sets and kept results live in a volume.
RUN useradd --create-home --uid 10001 visitor \
    && mkdir -p /data/sets \
    && chown -R visitor /data /app
USER visitor
ENV QFL_EXPLORE_DATA=/data/sets \
    QFL_EXPLORE_RESULTS=/data/results.sqlite
VOLUME /data

# Compiles the numerical kernels, so that the first visitor does not wait for it.
RUN python -c "from qfl_explore.simulation.batched import warm_up; warm_up()"

EXPOSE 5006
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://localhost:5006/favicon.ico', timeout=4)"]

# A container is a network of its own, so the app listens on all of its addresses; which machines reach it is said
# with -p, which addresses visitors may use with --origin.
ENTRYPOINT ["qfl-explore"]
CMD ["serve", "--room", "--port", "5006", "--origin", "localhost:5006"]
