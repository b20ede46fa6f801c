# tidegauge: `serve` beside an engine by default, `control` and `inject` by their names.
#
#   docker build -t tidegauge --build-arg VERSION=0.1.0 --build-arg REVISION="$(git rev-parse HEAD)" .
#   docker run --rm --gpus all -p 127.0.0.1:9470:9470 tidegauge serve \
#     --web.listen-address=:9470 --engine http://engine:8000
FROM python:3.11-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /opt/tidegauge
COPY requirements/runtime.txt requirements/
RUN pip install --require-hashes -r requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY exporter exporter
RUN pip install --no-deps .

ARG VERSION=""
ARG REVISION=""
LABEL org.opencontainers.image.title="tidegauge" \
      org.opencontainers.image.description="Watches self-hosted large language models and keeps them healthy" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"

RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin tidegauge
USER 10001:10001
EXPOSE 9470
# For `serve` as CMD has it. With TLS, a password or another port, give docker run a check of your own.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:9470/-/healthy', timeout=4)"]
ENTRYPOINT ["tidegauge"]
CMD ["serve", "--web.listen-address=:9470"]
