#!/usr/bin/env bash
# Installs what is missing from Debian's packages, and the Python tools of the tests into .venv.
# Usage: tools/deps.sh build|test
set -euo pipefail
cd "$(dirname "$0")/.."

build_packages=(
  libarchive-dev libssl-dev zlib1g-dev libdeflate-dev libyaml-dev
  # libarchive's own dependencies, for the static executable
  nettle-dev libacl1-dev liblzma-dev libzstd-dev liblz4-dev libbz2-dev
  binutils ca-certificates
)
# With a colon: not installed where that program is there already, wherever it came from. Docker's containerd.io
# brings a runc of its own and conflicts with Debian's.
test_packages=(
  skopeo:skopeo umoci:umoci podman:podman runc:runc nginx-light:nginx
  docker-registry:docker-registry debootstrap:debootstrap
  libarchive-tools curl:curl openssl perl-base strace python3 python3-venv gcc libc6-dev util-linux
)
# moto's server for ECR and STS, without what moto[server] brings for other services
# (three times the size and the time).
python_packages=(jsonschema 'moto>=5.2' flask flask-cors)
PATH=$PATH:/usr/sbin:/sbin

missing() {
  local item package
  for item in "$@"; do
    package=${item%%:*}
    if [[ $item == *:* ]] && command -v "${item#*:}" >/dev/null; then continue; fi
    [[ $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) == 'install ok installed' ]] || echo "$package"
  done
}

as_root() {
  if [[ $(id -u) -eq 0 ]]; then "$@"; else sudo "$@"; fi
}

policy=/usr/sbin/policy-rc.d
keep_services_stopped() {
  # nginx, docker-registry and podman are wanted as programs: Debian would start them as services on their ports.
  if [[ -e $policy || -L $policy ]]; then return; fi
  trap 'as_root rm -f "$policy"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
  as_root chmod 755 "$policy"
}

install_packages() {
  local wanted
  mapfile -t wanted < <(missing "$@")
  [[ ${#wanted[@]} -gt 0 ]] || return 0
  if ! command -v apt-get >/dev/null; then
    echo "error: this is not Debian or Ubuntu; install these by your system's own names: ${wanted[*]}" >&2
    exit 1
  fi
  if [[ $(id -u) -ne 0 ]] && ! command -v sudo >/dev/null; then
    echo "error: not root, and there is no sudo; have these installed: ${wanted[*]}" >&2
    exit 1
  fi
  echo "installing: ${wanted[*]}" >&2
  as_root apt-get update -qq
  keep_services_stopped
  if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-remove \
    --no-install-recommends "${wanted[@]}" >&2; then
    echo "error: cannot install ${wanted[*]}; nothing was removed for them. Install what is missing another way" >&2
    exit 1
  fi
}

case ${1:-} in
  build)
    install_packages "${build_packages[@]}"
    if ! command -v swift >/dev/null; then
      echo 'error: no swift on PATH; install Swift 6.3 from https://www.swift.org/install/linux/' >&2
      exit 1
    fi
    ;;
  test)
    install_packages "${test_packages[@]}"
    if ! .venv/bin/python3 -c 'import jsonschema, moto.server' 2>/dev/null; then
      python3 -m venv .venv
      .venv/bin/pip install --quiet --disable-pip-version-check "${python_packages[@]}"
    fi
    ;;
  *)
    echo 'usage: tools/deps.sh build|test' >&2
    exit 64
    ;;
esac
