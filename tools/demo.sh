#!/usr/bin/env bash
# Assembles the image of ociforge itself and shows it; puts it into a registry, another image on top of it, and
# pulls that back; and runs it: ociforge inside it assembles another image.
# Needs no network and no Docker. `make demo` builds what it needs first.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin

arch=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
forge=$PWD/dist/ociforge-linux-$arch
# podman makes an image's name of a layout's path, and names have no capital letters, as mktemp's have.
scratch=${TMPDIR:-/tmp}/ociforge-demo.$$.$RANDOM
mkdir -m 755 "$scratch"
server=
clean_up() {
  stop_server
  rm -rf "$scratch" 2>/dev/null && return
  # Files of a rootless container belong to ids that only its namespace may remove.
  podman unshare rm -rf "$scratch" 2>/dev/null || echo "could not remove $scratch" >&2
}
stop_server() {
  [[ -n $server ]] || return 0
  kill "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  server=
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
export OCIFORGE_CACHE=$scratch/cache
ref=oci:$scratch/layout:latest

if [[ -t 1 ]]; then bold=$'\e[1;36m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' dim='' plain=''; fi
step() { # what people read, then the command; `shown` stands for it where it is one of the functions here
  local what=$1 start=${EPOCHREALTIME/[.,]/} status=0
  shift
  local text=${shown:-$*}
  text=${text//$PWD\//}
  printf '\n%s● %s%s\n%s$ %s%s\n' "$bold" "$what" "$plain" "$dim" "${text//$scratch/\$DEMO}" "$plain"
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

"$forge" serve "$scratch/registry" --port 0 >"$scratch/address" 2>"$scratch/serve.log" &
server=$!
for ((i = 0; i < 100; i++)); do
  [[ -s $scratch/address ]] && break
  kill -0 "$server" 2>/dev/null || break
  sleep 0.05
done
address=$(<"$scratch/address")
if [[ -z $address ]]; then
  cat "$scratch/serve.log" >&2
  exit 1
fi
printf '\n%s● A registry over a layout, on this machine only%s\n%s$ ociforge serve $DEMO/registry --port 0 &%s\n%s\n' \
  "$bold" "$plain" "$dim" "$plain" "$address"
step 'Push the image to it, under two tags' \
  "$forge" push "$ref" "$address/demo/ociforge:1.0" "$address/demo/ociforge:latest" --progress none
mkdir "$scratch/app"
cat >"$scratch/app/image.yaml" <<EOF
formatVersion: 1
name: greeting
from: $address/demo/ociforge:1.0
layers:
  - name: files
    entries:
      - { path: /work/hello.txt, text: "hello\n" }
EOF
app=$address/demo/greeting:1.0
step 'Put a second image on top of it, straight into the registry: the base is not sent again' \
  "$forge" assemble "$scratch/app" --platform "linux/$arch" --push "$app" --no-layout
step 'Pull it back: the same digest, every byte verified' "$forge" pull "$app" "oci:$scratch/back:1.0" --progress none
if command -v skopeo >/dev/null; then
  step 'What does skopeo say of it?' skopeo inspect --no-creds --tls-verify=false --format '{{.Digest}}' "docker://$app"
fi
step 'What is in the registry?' "$forge" tags "$address/demo/ociforge"
# The registry asks for none. A file that wins at once keeps the user's own credential helpers out of this.
(
  umask 077
  printf '{"auths":{"%s":{"auth":"%s"}}}' "$address" "$(printf demo:secret | base64)" >"$scratch/auth.json"
)
step 'Which credential would it be shown, and why? Never the secret' \
  env REGISTRY_AUTH_FILE="$scratch/auth.json" "$forge" auth "$address"
stop_server

mkdir -m 1777 "$scratch/work"
"$forge" init "$scratch/work/hello" >/dev/null
chmod -R a+rwX "$scratch/work"
inside=(assemble hello -o out --progress none)
run_with_podman() {
  # This form needs neither systemd nor cgroups v2 nor a network of its own.
  podman --root "$scratch/podman" --runroot "$scratch/run" --storage-driver vfs \
    "${runtime[@]}" --cgroup-manager=cgroupfs --events-backend=none \
    run --rm --quiet --network=host --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 \
    -v "$scratch/work:/work" "$ref" "${inside[@]}"
}
run_in_root() { # arguments of unshare
  mkdir -p "$scratch/root"
  "$forge" export "$ref" | tar -x -C "$scratch/root" --no-same-owner
  mkdir -p "$scratch/root/proc"
  rm -rf "$scratch/root/work"
  cp -rp "$scratch/work" "$scratch/root/work"
  # shellcheck disable=SC2016
  unshare "$@" --mount sh -c 'mount --rbind /proc "$1/proc" && root=$1 && shift && exec chroot "$root" "$@"' \
    sh "$scratch/root" /usr/bin/ociforge assemble /work/hello -o /work/out --progress none
  cp -rp "$scratch/root/work/out" "$scratch/work/out"
}
what='ociforge in its image assembles an image'
runtime=()
if command -v runc >/dev/null; then runtime=(--runtime runc); fi
has_podman() {
  command -v podman >/dev/null || return 1
  if [[ $(id -u) -eq 0 ]]; then command -v runc >/dev/null; else podman info >/dev/null 2>&1; fi
}
podman_step() {
  shown="podman ${runtime[*]} … run --rm -v \$DEMO/work:/work $ref ${inside[*]}" \
    step "Run it with podman: $what" run_with_podman
}
unpack="ociforge export $ref | tar -x -C \$DEMO/root"
run_it() {
  if has_podman; then
    if podman_step; then return; fi
    # What podman can do without root is a machine's own story; what the image can do is not.
    [[ $(id -u) -ne 0 ]] || return 1
    echo 'podman could not run it without root; a namespace of our own may' >&2
    rm -rf "$scratch/work/out"
  fi
  if [[ $(id -u) -eq 0 ]] && unshare --mount true 2>/dev/null; then
    shown="$unpack; chroot \$DEMO/root ociforge ${inside[*]}" \
      step "Run it in a root of its own: $what" run_in_root --fork
  elif [[ $(id -u) -ne 0 ]] && unshare --user --map-root-user --mount true 2>/dev/null; then
    shown="$unpack; unshare -r chroot \$DEMO/root ociforge ${inside[*]}" \
      step "Run it in a root of its own, without any privilege: $what" run_in_root --user --map-root-user
  else
    printf '\n%s● Not run%s: that needs podman, or a kernel and a container that allow "unshare --mount"; this has neither.\n' \
      "$bold" "$plain"
    can_run=false
  fi
}
can_run=true
run_it
if $can_run; then step 'What did it make?' "$forge" inspect "oci:$scratch/work/out"; fi
printf '\n%sDone.%s The definition is layouts/ociforge/image.yaml; your first own one: %sociforge init%s\n' \
  "$bold" "$plain" "$bold" "$plain"
