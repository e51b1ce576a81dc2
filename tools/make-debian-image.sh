#!/usr/bin/env bash
# Makes an image of this machine's own Debian release, as debootstrap's minimal variant: what tests build on.
# Usage: tools/make-debian-image.sh FOLDER (as root); FOLDER becomes an OCI layout with the tag `debian`.
# A tar of it stays in $TMPDIR, so that only the first run goes to the mirror that apt uses.
set -euo pipefail
layout=$1
. /etc/os-release
cache=${TMPDIR:-/tmp}/ociforge-$ID-$VERSION_CODENAME-$(id -u).tar

# The folder is everybody's: nothing is taken from, or written through, what another user put there.
own() { [[ ! -L $1 && (! -e $1 || (-f $1 && -O $1)) ]]; }
for file in "$cache" "$cache.lock"; do
  own "$file" || { echo "error: $file is not this user's file" >&2; exit 1; }
done

make_layout() {
  local work=$1 mirror
  # As apt has it, whichever kind of file says so.
  mirror=$(apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Identifier: Packages' |
    awk -v release="$VERSION_CODENAME" '$1 == release && $2 == "main" { print $3; exit }')
  [[ -n $mirror ]] || { echo "error: apt has no mirror for $VERSION_CODENAME main" >&2; return 1; }
  debootstrap --variant=minbase "$VERSION_CODENAME" "$work/root" "$mirror" >&2
  rm -rf "$work/root/var/cache/apt" "$work/root/var/lib/apt/lists"
  umoci init --layout "$work/layout"
  umoci new --image "$work/layout:debian"
  umoci config --image "$work/layout:debian" --config.cmd /bin/sh --config.env PATH=/usr/sbin:/usr/bin:/sbin:/bin
  umoci insert --image "$work/layout:debian" "$work/root" /
  umoci gc --layout "$work/layout"
}

exec 9>"$cache.lock"
flock 9
if [[ ! -e $cache ]]; then
  work=$(mktemp -d)
  trap 'rm -rf --one-file-system "$work"' EXIT
  make_layout "$work"
  tar -C "$work/layout" -cf "$work/image.tar" .
  mv "$work/image.tar" "$cache"
fi
mkdir -p "$layout"
tar -C "$layout" -xf "$cache"
