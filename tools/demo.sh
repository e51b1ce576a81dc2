#!/usr/bin/env bash
# Assembles the image of ociforge itself, shows it, and runs it: ociforge inside it assembles another image.
# Needs no network and no Docker. `make demo` builds what it needs first.
set -euo pipefail
cd "$(dirname "$0")/.."

arch=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
forge=$PWD/dist/ociforge-linux-$arch
scratch=$(mktemp -d "${TMPDIR:-/tmp}/ociforge-demo.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
export OCIFORGE_CACHE=$scratch/cache
ref=oci:$scratch/layout:latest

if [[ -t 1 ]]; then bold=$'\e[1;36m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' dim='' plain=''; fi
step() { # what people read, then the command
  local what=$1 start=${EPOCHREALTIME/[.,]/} status=0
  shift
  printf '\n%s● %s%s\n%s$ %s%s\n' "$bold" "$what" "$plain" "$dim" "${*//$PWD\//}" "$plain"
  "$@" || status=$?
  printf '%s  %d ms%s\n' "$dim" "$(((${EPOCHREALTIME/[.,]/} - start) / 1000))" "$plain"
  return $status
}

cp -rp layouts/ociforge "$scratch/definition"
definition=(assemble "$scratch/definition" --set dist="$PWD/dist" --platform "linux/$arch")
step 'Assemble an image: this program and a CA bundle, from scratch' \
  "$forge" "${definition[@]}" -o "$scratch/layout"
step 'Assemble it again elsewhere: the same digest, byte for byte' \
  env TZ=Asia/Tokyo "$forge" "${definition[@]}" -o "$scratch/again" --progress none
step 'What is it?' "$forge" inspect "$ref"
step 'What is in it?' "$forge" ls "$ref"
step 'Does it keep every rule of the image-spec?' "$forge" validate "$ref"

mkdir -m 1777 "$scratch/work"
"$forge" init "$scratch/work/hello" >/dev/null
chmod -R a+rwX "$scratch/work"
inside=(assemble hello -o out --progress none)
run_with_podman() {
  # This form needs neither systemd nor cgroups v2 nor a network of its own.
  podman --root "$scratch/podman" --runroot "$scratch/podman-run" --storage-driver vfs \
    --runtime runc --cgroup-manager=cgroupfs --events-backend=none \
    run --rm --network=host --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 \
    -v "$scratch/work:/work" "$ref" "${inside[@]}"
}
run_in_root() { # a command that changes into a root
  mkdir -p "$scratch/root"
  "$forge" export "$ref" | tar -x -C "$scratch/root" --no-same-owner
  rm -rf "$scratch/root/work" && cp -rp "$scratch/work" "$scratch/root/work"
  "$@" "$scratch/root" /usr/bin/ociforge \
    assemble /work/hello -o /work/out --progress none
  cp -rp "$scratch/root/work/out" "$scratch/work/out"
}
if command -v podman >/dev/null && command -v runc >/dev/null && [[ $(id -u) -eq 0 ]]; then
  step 'Run it with podman and runc: ociforge in its image assembles an image' run_with_podman
elif [[ $(id -u) -eq 0 ]]; then
  step 'Run it in a chroot: ociforge in its image assembles an image' run_in_root chroot
else
  step 'Run it in an unprivileged root: ociforge in its image assembles an image' \
    run_in_root unshare --user --map-root-user chroot
fi
step 'What did it make?' "$forge" inspect "oci:$scratch/work/out"
printf '\n%sDone.%s The definition is layouts/ociforge/image.yaml; your first own one: %sociforge init%s\n' \
  "$bold" "$plain" "$bold" "$plain"
