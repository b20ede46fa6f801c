# tidegauge and an engine for it to keep: llama.cpp's server with a small model of random weights,
# and a drift reference of the load's ordinary prompts. Built with the repository as context.
FROM python:3.11-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/tidegauge
COPY requirements/demo.txt requirements/
RUN pip install --require-hashes -r requirements/demo.txt
COPY pyproject.toml README.md LICENSE ./
COPY exporter exporter
RUN pip install --no-deps .
COPY demo demo

ENV PYTHONPATH=/opt/tidegauge
RUN python -c "from pathlib import Path; from demo.model import ModelShape, write_model; write_model(Path('model.gguf'), ModelShape())" \
    && tidegauge inject --write-prompts=/tmp/prompts.jsonl --count=2000 --seed=1 --body='{"ignore_eos": true}' \
    && tidegauge reference build --model=demo --output=reference.json /tmp/prompts.jsonl \
    && chmod a+r reference.json \
    && rm /tmp/prompts.jsonl \
    && head -c 24 /dev/urandom | base64 > clients.secret

# A volume that is mounted here takes over the owner: control and HAProxy share a socket in it.
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin tidegauge \
    && mkdir -m 0700 /run/haproxy && chown 10001:10001 /run/haproxy
USER 10001:10001
CMD ["tidegauge", "--help"]
