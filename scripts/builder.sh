# shellcheck shell=bash disable=SC2034,SC2154
# Modules that are compiled without `deploy-tool`, by the builder's image: the same compiler, crates and flags, and so the same
# bytes. Source this file after step.sh, in the project's folder.

# find_crates FOLDER: sets $crates, where the crates of its lock file belong. The tool keeps those of app/ at the same place.
find_crates() {
  crates=$cache/vendor/$(sha256sum "$1/Cargo.lock" | cut -d ' ' -f 1)
}

# fetch_crates FOLDER: brings those of a folder for which find_crates was asked, once. It is a step's command: each failure
# ends it by itself, because `set -e` does not hold there.
fetch_crates() {
  [ ! -d "$crates" ] || return 0
  local part
  mkdir -p "$cache/vendor" && part=$(mktemp --directory "$cache/vendor/.part-XXXXXX") || return 1
  cargo vendor --locked --versioned-dirs --respect-source-config --manifest-path "$1/Cargo.toml" "$part/crates" || { rm -rf "$part"; return 1; }
  # The tool may have fetched them meanwhile.
  mv --no-target-directory "$part/crates" "$crates" 2>/dev/null || true
  rm -rf "$part"
  [ -d "$crates" ]
}

# in_builder WORK OPTION… IMAGE COMMAND…: a container without network that has the sources, the crates, and WORK as /build.
in_builder() {
  local work=$1
  shift
  # The tool removes no crates that are locked. Where SELinux confines containers, they may not read files of a home folder.
  flock --shared 8 && run_as_user --pull never --network none --security-opt label=disable \
    --volume "$PWD:/src:ro" --volume "$crates:/vendor:ro" --volume "$work:/build" \
    --env CARGO_HOME=/build/cargo --env CARGO_TARGET_DIR=/build/target \
    --env "CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS=--remap-path-prefix=/src=. --remap-path-prefix=/vendor=crates" "$@"
} 8<"$crates"

# The arguments of Cargo there, without the profile.
compile=(cargo build --locked --offline --target wasm32-wasip1
  --config 'source.crates-io.replace-with="vendor"' --config 'source.vendor.directory="/vendor"')
