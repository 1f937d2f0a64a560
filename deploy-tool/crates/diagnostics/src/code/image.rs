//! 06xx: images. Those from 0602 to 0611, 0614 and 0615 are warnings of `inspect`.

use crate::error_code::Code;

pub(super) const CODES: &[&Code] = &[
    &MALFORMED,
    &NO_VARIANT,
    &ENTRYPOINT,
    &NO_SERVICES,
    &OTHER_ENGINE,
    &WASM_PLATFORM,
    &LATEST,
    &CANNOT_RUN,
    &INTERPRETED,
    &ROOT,
    &NOT_SEEN,
    &NOT_ON_HOST,
    &NODES_AWAY,
    &PLATFORM_ABSENT,
    &CRATE_TRAP,
    &NOT_MADE,
];

/// DT0601: an image is damaged, or what is there is not an image.
pub const MALFORMED: Code = Code {
    number: 601,
    title: "an image is damaged, or what is there is not an image",
    explanation: "An image on this host is an [OCI layout](https://github.com/opencontainers/image-spec/blob/main/image-layout.md): \
        a folder, or the same in a tar file. It is read only when every part is there and has the size and the SHA-256 \
        that its index says, so that no part of an image is taken for all of it. The same holds for what a registry gives. Registries also \
        keep charts, signatures and other artifacts, which are no images.",
    fix: "make it again (`deploy-tool build`), or copy it again from where it came from. An archive of the old form of \
        `docker save` becomes a layout by `skopeo copy docker-archive:OLD oci-archive:NEW`.",
};

/// DT0602: an image does not say that it is Wasm.
pub const NO_VARIANT: Code = Code {
    number: 602,
    title: "an image does not say that it is Wasm",
    explanation: "The manifest has no annotation `module.wasm.image/variant`. podman passes it on to crun, which runs the image as \
        a native program without it (exec format error). On Kubernetes it has no effect: there the pod's template needs the \
        annotation, see [crun's page](https://github.com/containers/crun/blob/main/docs/wasm-wasi-on-kubernetes.md).",
    fix: "build the image with `deploy-tool build`, or `buildah build --annotation module.wasm.image/variant=compat-smart`.",
};

/// DT0603: an image's entrypoint is not an absolute path that ends in .wasm.
pub const ENTRYPOINT: Code = Code {
    number: 603,
    title: "an image's entrypoint is not an absolute path that ends in .wasm",
    explanation: "`compat-smart` gives to WasmEdge only what ends in `.wasm` or `.wat`; everything else is run as a native program, \
        and fails with an exec format error.",
    fix: "set `ENTRYPOINT [\"/NAME.wasm\"]` (`module:` in image.yaml).",
};

/// DT0604: an image has no /etc/services, and its module looks up host names.
pub const NO_SERVICES: Code = Code {
    number: 604,
    title: "an image has no /etc/services, and its module looks up host names",
    explanation: "The socket library looks up the service name `http` together with every host name. Without the file that fails, \
        and with it every connection to a name.",
    fix: "put `/etc/services` into the image, with at least the line `http 80/tcp` (`files:` in image.yaml).",
};

/// DT0605: native code in an image is for another engine or processor than the nodes have.
pub const OTHER_ENGINE: Code = Code {
    number: 605,
    title: "native code in an image is for another engine or processor than the nodes have",
    explanation: "WasmEdge takes native code only of its own format, operating system and architecture. It ignores other code \
        without a word and interprets the module, which is about fifteen times slower.",
    fix: "compile it again with the version of WasmEdge that the nodes have: `deploy-tool build` with the builder that \
        `deploy-tool images` brings to this host.",
};

/// DT0606: an index has an image for a Wasm platform.
pub const WASM_PLATFORM: Code = Code {
    number: 606,
    title: "an index has an image for a Wasm platform",
    explanation: "A node pulls from an index what is for its own platform, such as `linux/amd64`. An image for `wasi/wasm` is never \
        pulled under crun, and where it is the only one, the pull fails: no match for platform in manifest.",
    fix: "publish the image for `linux/amd64` and `linux/arm64`, as `deploy-tool build` does.",
};

/// DT0607: an image is named `latest`, or has no tag.
pub const LATEST: Code = Code {
    number: 607,
    title: "an image is named `latest`, or has no tag",
    explanation: "The name means whatever was pushed last. Nodes that pull at different times run different images, and a rollback \
        brings nothing back.",
    fix: "name it by its digest (`NAME@sha256:…`), or by a tag that is never moved.",
};

/// DT0608: a module would not run under crun.
pub const CANNOT_RUN: Code = Code {
    number: 608,
    title: "a module would not run under crun",
    explanation: "The module is damaged, a component of WASI preview 2, a library, or it imports functions that WasmEdge under crun \
        does not offer. Plugins are not loaded there.",
    fix: "compile for `wasm32-wasip1`, as a binary, and leave out the crate that imports what the message names.",
};

/// DT0609: an image for x86-64 has no native code.
pub const INTERPRETED: Code = Code {
    number: 609,
    title: "an image for x86-64 has no native code",
    explanation: "The engine interprets the module, which is about fifteen times slower than code compiled ahead of time.",
    fix: "build it without `--aot none`.",
};

/// DT0610: an image does not name a user by number, or names root.
pub const ROOT: Code = Code {
    number: 610,
    title: "an image does not name a user by number, or names root",
    explanation: "Kubernetes refuses it where the pod has `runAsNonRoot` and no `runAsUser`: names cannot be looked up in an image \
        without `/etc/passwd`.",
    fix: "set `USER 65532` (`user:` in image.yaml).",
};

/// DT0611: a layer cannot be looked into.
pub const NOT_SEEN: Code = Code {
    number: 611,
    title: "a layer cannot be looked into",
    explanation: "The layer is packed by something other than gzip, is damaged, or unpacks to more than a gibibyte; or the \
        layers of an image in a registry are so large that they were not fetched. What is in it is not known.",
    fix: "unpack it by other means, or pack it by gzip. Large images are looked into here: `skopeo copy docker://IMAGE oci:FOLDER`, \
        then inspect the folder.",
};

/// DT0612: an image that deploy-tool works with is not on this host, or is too old.
pub const NOT_ON_HOST: Code = Code {
    number: 612,
    title: "an image that deploy-tool works with is not on this host, or is too old",
    explanation: "Services are compiled in a builder image, kind clusters are made of a node image, and `node install` runs an \
        installer image. What is not on a host is pulled where there is somewhere to pull it from: a release knows its registry, and \
        `DEPLOY_TOOL_IMAGES` names another, and a path in it, that has those of exactly this version, `wasm-builder:VERSION-trixie`, \
        `wasm-node:VERSION-v1.36` and `wasm-node-installer:VERSION-trixie`. Else they are made, on Linux on x86-64 alone.",
    fix: "name such a registry: `DEPLOY_TOOL_IMAGES=registry.example.com/tools`; `docker tag` and `docker push` fill one from a host that \
        has the images. Or have them made or brought up to date: `deploy-tool images`. Without them, a module that was compiled elsewhere \
        is packed by `deploy-tool build --module FILE`, and other images are named with `cluster up --node-image` and \
        `node install --image`.",
};

/// DT0613: images cannot be loaded into the nodes of a kind cluster from this host.
pub const NODES_AWAY: Code = Code {
    number: 613,
    title: "images cannot be loaded into the nodes of a kind cluster from this host",
    explanation: "Images that are built here come to the nodes of a kind cluster through the Docker engine that runs them as containers. \
        The context is named as kind names it (`kind-NAME`), but this host has no Docker, its engine does not answer, or it \
        has no nodes of that cluster: the cluster runs on another host, or under another engine (`DOCKER_HOST`).",
    fix: "run this on the host of the cluster, or have the nodes pull: `deploy-tool up --registry HOST/PATH`. `apply`, `rollback`, `status` and \
        `open` go on without, and say so.",
};

/// DT0614: an index names an image that is not there.
pub const PLATFORM_ABSENT: Code = Code {
    number: 614,
    title: "an index names an image that is not there",
    explanation: "The index names images for several platforms, and not all of them are there. `docker save` writes such an archive \
        where only the image for this machine was pulled. A registry takes no index without its images, so `push` refuses it.",
    fix: "push the image of one platform: `deploy-tool push … --platform linux/amd64`; or copy the whole image: `skopeo copy \
        --all docker://IMAGE oci:FOLDER`.",
};

/// DT0615: a module has a crate that is a known trap, or was made of sources that have one.
pub const CRATE_TRAP: Code = Code {
    number: 615,
    title: "a module has a crate that is a known trap, or was made of sources that have one",
    explanation: "The bill of materials that is attached to the image lists the crates of its module, and what `build` has seen in \
        its sources: something of it is known to fail, or to be slow, in a Wasm guest. Where there is no bill, the crates are \
        those that the module itself names, because code of theirs can panic; what the sources say is not known then. [The WASI crates](wasi-crates.md#what-init-and-build-tell) has each by its name.",
    fix: "as the warning says, in the sources, Cargo.toml or Cargo.lock of the service; then build the image again.",
};

/// DT0616: an image that deploy-tool works with cannot be made on this host.
pub const NOT_MADE: Code = Code {
    number: 616,
    title: "an image that deploy-tool works with cannot be made on this host",
    explanation: "deploy-tool carries the scripts and definitions of its images, and runs them where it can pull none: on Debian's and \
        kind's images from Docker Hub, or, where Docker Hub gives none, from Debian packages and Go modules. That takes root, Go and \
        16 GB of disk then, and 8 GB otherwise. What was finished before stays, and the next attempt goes on from there.",
    fix: "read the last lines, which say what is missing, then run the same command again. `IMAGES_FROM=hub` or `IMAGES_FROM=offline` \
        chooses where they come from. Or pull them from a registry that has them: `DEPLOY_TOOL_IMAGES=registry.example.com/tools`.",
};
