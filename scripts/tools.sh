#!/usr/bin/env bash
# tools.sh [DIR [NAME…]]   puts prometheus, promtool, alertmanager, amtool and haproxy, or those that are named, under
# DIR/bin (default: .tools). nginx is the other one that it knows: benchmarks compare with it.
#
# What is on PATH is used as it is. The rest comes from the distribution's own packages, downloaded and
# unpacked under DIR with the libraries that this machine lacks: no root, nothing installed, no service
# started. Every entry of DIR/bin is a small script that ends in `exec`, so its pid is the program's.
set -euo pipefail
export LC_ALL=C

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
dest=${1:-$root/.tools}
names=(prometheus promtool alertmanager amtool haproxy)
if (($# > 1)); then names=("${@:2}"); fi
# haproxy lives in sbin, which is on few people's PATH.
search=$PATH:/usr/local/sbin:/usr/sbin:/sbin

main() {
  if complete; then exit 0; fi
  mkdir -p "$dest"
  work=$(mktemp -d "$dest/.new.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  mkdir -p "$work/tree/bin" "$work/tree/debian"
  local name package packages=()
  for name in "${names[@]}"; do
    if ! installed "$name" >/dev/null; then packages+=("$(package_of "$name")"); fi
  done
  if ! loads libgomp.so.1; then packages+=(libgomp1); fi # what llama.cpp's wheel expects of the system
  if ((${#packages[@]})); then
    mapfile -t packages < <(printf '%s\n' "${packages[@]}" | sort -u)
    need_apt "${packages[@]}"
    echo "tools: fetching ${packages[*]} from the distribution's archive"
    fetch "${packages[@]}"
    fetch_split_off
    fetch_libraries
  fi
  for name in "${names[@]}"; do write_entry "$name"; done
  verify
  made_by >"$work/tree/bin/.made-by"
  rm -rf "$dest/bin" "$dest/debian"
  mv "$work/tree/debian" "$work/tree/bin" "$dest" # bin last: without it the next run starts over
  echo "tools: under ${dest#"$PWD"/}/bin: ${names[*]}"
}

# Each entry's second line names the program that it starts.
complete() {
  local name program
  [[ $(cat "$dest/bin/.made-by" 2>/dev/null) == "$(made_by)" ]] || return 1
  for name in "${names[@]}"; do
    [[ -x $dest/bin/$name ]] || return 1
    program=$(sed -n '2s/^# //p' "$dest/bin/$name")
    [[ $program == /* ]] || program=$dest/$program
    [[ -x $program ]] || return 1
  done
  loads libgomp.so.1 || compgen -G "$dest/debian/usr/lib/*/libgomp.so.1" >/dev/null
}

# Which script made DIR: another one may have done it otherwise.
made_by() { sha256sum <"${BASH_SOURCE[0]}"; }

installed() {
  local spelling program
  for spelling in $(spellings "$1"); do
    program=$(PATH=$search type -P "$spelling") || continue
    if new_enough "$program" "$1"; then
      echo "$program"
      return 0
    fi
  done
  return 1
}

spellings() {
  case $1 in
    alertmanager) echo "alertmanager prometheus-alertmanager" ;;
    *) echo "$1" ;;
  esac
}

package_of() {
  case $1 in
    prometheus | promtool) echo prometheus ;;
    alertmanager | amtool) echo prometheus-alertmanager ;;
    haproxy | nginx) echo "$1" ;;
  esac
}

loads() { python3 -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "$1" 2>/dev/null; }

need_apt() {
  local command
  for command in apt-get dpkg-deb ldd; do
    if ! type -P "$command" >/dev/null; then
      stuck "there is no $command here, so this script cannot fetch: $*"
    fi
  done
}

fetch() {
  local deb
  mkdir -p "$work/debs"
  download "$@"
  for deb in "$work"/debs/*.deb; do
    dpkg-deb -f "$deb" Depends >>"$work/depends"
    dpkg-deb -x "$deb" "$work/tree/debian"
    mv "$deb" "$work/unpacked.deb"
  done
}

# The machine's own package lists first; where they are absent or out of date, lists of our own.
download() {
  local log=$work/apt.log
  if [[ ! -d $work/lists ]]; then
    if (cd "$work/debs" && apt-get -qq $(options) download "$@") >"$log" 2>&1; then return 0; fi
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
    # One broken third-party source fails the whole update; what counts is the download after it.
    apt-get -qq $(options) update >>"$log" 2>&1 || true
  fi
  rm -f "$work"/debs/*
  if ! (cd "$work/debs" && apt-get -qq $(options) download "$@") >"$log.2" 2>&1; then
    cat "$log" "$log.2" | grep -E '^[EW]:' | sort -u | tail -n 8 >&2 || true
    stuck "apt-get could not download: $*"
  fi
}

options() {
  echo "-o Acquire::Retries=2 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20"
  # apt's own user cannot write into our folder, and apt says so at length.
  if [[ $(id -u) == 0 ]]; then echo "-o APT::Sandbox::User=root"; fi
  if [[ -d $work/lists ]]; then echo "-o Dir::State::lists=$work/lists -o Dir::Cache=$work/cache"; fi
}

# Newer releases have split a program off into a package of its own name (promtool, since Debian 13).
fetch_split_off() {
  local name
  for name in "${names[@]}"; do
    if ! installed "$name" >/dev/null && ! unpacked "$name" >/dev/null; then fetch "$name"; fi
  done
}

# Fetch what the unpacked packages depend on and this machine lacks, until the loader finds everything.
fetch_libraries() {
  local wanted tried=" "
  while [[ -n $(missing_libraries) ]]; do
    wanted=()
    for package in $(dependencies); do
      if [[ $tried != *" $package "* ]]; then
        tried+="$package "
        wanted+=("$package")
      fi
    done
    if ! ((${#wanted[@]})); then
      stuck "no package was found for the shared libraries $(missing_libraries | tr '\n' ' ')"
    fi
    fetch "${wanted[@]}"
  done
}

missing_libraries() {
  local program
  while read -r program; do
    LD_LIBRARY_PATH=$(library_path "$work/tree/debian") ldd "$program" 2>/dev/null |
      awk '/not found/ { print $1 }' || true # a static program is none that ldd knows
  done < <(find "$work/tree/debian" -type f \( -path '*bin/*' -o -name '*.so*' \)) | sort -u
}

# The libraries among the dependencies that are not installed; of alternatives, the first.
dependencies() {
  tr ',' '\n' <"$work/depends" | sed -E 's/^ *([^ (:|]+).*/\1/' | grep -E '^lib' |
    grep -vE '^libjs-' | sort -u | while read -r package; do
    if [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) != installed ]]; then
      echo "$package"
    fi
  done
}

library_path() {
  find "$1" -name '*.so*' -printf '%h\n' 2>/dev/null | sort -u | paste -sd: -
}

write_entry() {
  local program entry=$work/tree/bin/$1
  if program=$(installed "$1"); then
    printf '#!/bin/sh\n# %s\nexec "%s" "$@"\n' "$program" "$program" >"$entry"
  else
    program=$(unpacked "$1") || stuck "the package $(package_of "$1") holds no program $1"
    cat >"$entry" <<ENTRY
#!/bin/sh
# $program
here=\$(cd "\$(dirname "\$0")/.." && pwd)
LD_LIBRARY_PATH=$(library_path "$work/tree/debian" | sed "s|$work/tree|\$here|g")\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH
$(shared_files "$work/tree/$program")
exec "\$here/$program" "\$@"
ENTRY
  fi
  chmod +x "$entry"
}

# Debian's Alertmanager opens its templates by an absolute path, even those it does not use. The path in our copy
# of the program becomes one through a file descriptor, as long as the old one, which the entry opens.
shared_files() {
  local folder=/usr/share/prometheus/alertmanager through=/proc/self/fd/9///////alertmanager
  if [[ -d $work/tree/debian$folder ]] && LC_ALL=C grep -q "$folder" "$1"; then
    LC_ALL=C sed -i "s#$folder#$through#g" "$1"
  fi
  if LC_ALL=C grep -q "$through" "$1"; then
    echo "exec 9<\"\$here/debian$(dirname "$folder")\""
  fi
}

unpacked() {
  local spelling folder
  for spelling in $(spellings "$1"); do
    for folder in usr/bin usr/sbin; do
      if [[ -x $work/tree/debian/$folder/$spelling ]]; then
        echo "debian/$folder/$spelling"
        return 0
      fi
    done
  done
  return 1
}

# The oldest releases that have what we use: keep_firing_for in rules; health checks of dynamic servers.
oldest() {
  case $1 in
    prometheus | promtool) echo 2.42 ;;
    alertmanager | amtool) echo 0.22 ;; # matchers in routes and inhibition
    haproxy) echo 2.5 ;;
    nginx) echo 1.18 ;;
  esac
}

# The release that a program says it is, such as 2.42.0.
release() {
  local program=$1 name=$2
  "$program" "$(version_flag "$name")" 2>&1 | grep -oEm1 '[0-9]+\.[0-9]+(\.[0-9]+)?' | head -n 1
}

new_enough() { # PROGRAM NAME
  local found
  found=$(release "$1" "$2" || true)
  [[ -n $found && $(printf '%s\n%s\n' "$(oldest "$2")" "$found" | sort -V | head -n 1) == "$(oldest "$2")" ]]
}

verify() {
  local name
  for name in "${names[@]}"; do
    if ! "$work/tree/bin/$name" "$(version_flag "$name")" >"$work/version" 2>&1; then
      cat "$work/version" >&2
      stuck "$name does not start"
    fi
    if ! new_enough "$work/tree/bin/$name" "$name"; then
      stuck "$name $(release "$work/tree/bin/$name" "$name") is too old; $(oldest "$name") or newer is needed"
    fi
  done
}

version_flag() { if [[ $1 == haproxy || $1 == nginx ]]; then echo -v; else echo --version; fi; }

stuck() {
  echo "tools: $1" >&2
  echo "tools: install what is missing of ${names[*]}, put it on PATH, and run this again" >&2
  exit 1
}

main
