#!/usr/bin/env bash
# generate.sh [--check]   writes compose/generated (rules, configuration, dashboards) from one profile, or
#                         exits 1 and names the files that are out of step. PROFILE=production for real use.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=${PYTHON:-python3}
profile=${PROFILE:-demo}
out=${OUT:-compose/generated}

status=0
"$python" alert-rules/build.py --profile "$profile" --out "$out" \
  --set alertmanager=alertmanager:9093 \
  --set page_webhook=http://receiver:9490/page \
  --set ticket_webhook=http://receiver:9490/ticket "$@" || status=1
"$python" alert-rules/build.py --profile "$profile" --out "$out" --templates compose/templates "$@" || status=1
"$python" dashboards/build.py --profile "$profile" --out "$out/dashboards" "$@" || status=1
exit "$status"
