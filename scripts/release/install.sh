#!/bin/sh
# Installs deploy-tool: downloads the archive for this machine, compares its checksum, and puts program, manual pages
# and completions under a prefix. Downloads over HTTPS only; needs curl, tar, and sha256sum or shasum.
#
#   PREFIX     where to (~/.local): PREFIX/bin/deploy-tool, PREFIX/share/man, PREFIX/share/bash-completion
#   DOWNLOADS  from where: the release that this file belongs to
set -eu
downloads=${DOWNLOADS:-@downloads@}
prefix=${PREFIX:-$HOME/.local}

die() {
  printf '✗ %s\n' "$@" >&2
  exit 1
}

system=$(uname -s) machine=$(uname -m)
case $system-$machine in
  Linux-x86_64) host=x86_64-unknown-linux-gnu ;;
  Linux-aarch64 | Linux-arm64) host=aarch64-unknown-linux-gnu ;;
  Darwin-arm64) host=aarch64-apple-darwin ;;
  *) die "there is no program for $system on $machine: build it from source with \`make tool\`" ;;
esac
command -v curl >/dev/null || die "curl is missing: install it with your package manager"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
name=deploy-tool-$host
for file in "$name.tar.gz" SHA256SUMS; do
  curl --fail --silent --show-error --location --proto '=https,file' --retry 3 --output "$work/$file" "$downloads/$file" \
    || die "cannot download $downloads/$file"
done
cd "$work"
grep -F " $name.tar.gz" SHA256SUMS >wanted || die "SHA256SUMS does not name $name.tar.gz: this release has no program for this machine"
if command -v sha256sum >/dev/null; then sha256sum -c wanted >/dev/null; else shasum -a 256 -c wanted >/dev/null; fi \
  || die "$name.tar.gz is not the file that was released: nothing was installed; download it again"
tar -xzf "$name.tar.gz"

mkdir -p "$prefix/bin" "$prefix/share/man/man1" "$prefix/share/bash-completion/completions"
# A program that does not start here takes the place of none that does.
new=$prefix/bin/deploy-tool.new
cp "$name/deploy-tool" "$new"
if ! version=$("$new" --version); then
  rm "$new"
  die "the program does not start on this machine, for the reason above: nothing was installed" \
    "on Linux it takes glibc 2.35 or newer: elsewhere, build it from source with \`make tool\`"
fi
cp "$name"/man/*.1 "$prefix/share/man/man1"
cp "$name/completion/deploy-tool.bash" "$prefix/share/bash-completion/completions/deploy-tool"
# Last, and by a rename: a program that is running is not overwritten, and one that is there is complete.
mv "$new" "$prefix/bin/deploy-tool"
echo "✓ $version is in $prefix/bin"
case :$PATH: in
  *":$prefix/bin:"*) ;;
  *) echo "  it is not in your PATH yet: export PATH=\"$prefix/bin:\$PATH\"" ;;
esac
