//! 06xx: images. Those from 0602 to 0611 are warnings of `inspect`.

use super::Code;

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
];

/// No layout, or a damaged one.
pub const MALFORMED: Code = Code {
    number: 601,
    title: "an image is damaged, or is none",
    meaning: "An image on this host is an [OCI layout](https://github.com/opencontainers/image-spec/blob/main/image-layout.md): \
        a folder, or the same in a tar file. It is read only when every part is there and has the size and the SHA-256 \
        that its index says, so that no part of an image is taken for all of it. The same holds for what a registry gives. Registries also \
        keep charts, signatures and other artifacts, which are no images.",
    mend: "make it again (`deploy-tool build`), or copy it again from where it came from. An archive of the old form of \
        `docker save` becomes a layout by `skopeo copy docker-archive:OLD oci-archive:NEW`.",
};

/// Engines that read images do not know it as Wasm.
pub const NO_VARIANT: Code = Code {
    number: 602,
    title: "an image does not say that it is Wasm",
    meaning: "The manifest has no annotation `module.wasm.image/variant`. podman passes it on to crun, which runs the image as \
        a native program without it (exec format error). On Kubernetes it has no effect: there the pod's template needs the \
        annotation, see [crun's page](https://github.com/containers/crun/blob/main/docs/wasm-wasi-on-kubernetes.md).",
    mend: "build the image with `deploy-tool build`, or `buildah build --annotation module.wasm.image/variant=compat-smart`.",
};

/// crun does not take it for a module.
pub const ENTRYPOINT: Code = Code {
    number: 603,
    title: "an image's entrypoint is no absolute path that ends in .wasm",
    meaning: "`compat-smart` gives to WasmEdge only what ends in `.wasm` or `.wat`; everything else is run as a native program, \
        and fails with an exec format error.",
    mend: "set `ENTRYPOINT [\"/NAME.wasm\"]` (`module:` in image.yaml).",
};

/// Names cannot be looked up.
pub const NO_SERVICES: Code = Code {
    number: 604,
    title: "an image has no /etc/services, and its module looks up host names",
    meaning: "The socket library looks up the service name `http` together with every host name. Without the file that fails, \
        and with it every connection to a name.",
    mend: "put `/etc/services` into the image, with at least the line `http 80/tcp` (`files:` in image.yaml).",
};

/// Code that will be ignored.
pub const OTHER_ENGINE: Code = Code {
    number: 605,
    title: "native code in an image is for another engine or processor than the nodes have",
    meaning: "WasmEdge takes native code only of its own format, operating system and architecture. It ignores other code \
        without a word and interprets the module, which is about fifteen times slower.",
    mend: "compile it again with the version of WasmEdge that the nodes have: `deploy-tool build` with the builder of `make \
        images`.",
};

/// No node pulls it.
pub const WASM_PLATFORM: Code = Code {
    number: 606,
    title: "an index has an image for a Wasm platform",
    meaning: "A node pulls from an index what is for its own platform, such as `linux/amd64`. An image for `wasi/wasm` is never \
        pulled under crun, and where it is the only one, the pull fails: no match for platform in manifest.",
    mend: "publish the image for `linux/amd64` and `linux/arm64`, as `deploy-tool build` does.",
};

/// Not exact.
pub const LATEST: Code = Code {
    number: 607,
    title: "an image is named `latest`, or has no tag",
    meaning: "The name means whatever was pushed last. Nodes that pull at different times run different images, and a rollback \
        brings nothing back.",
    mend: "name it by its digest (`NAME@sha256:…`), or by a tag that is never moved.",
};

/// The module.
pub const CANNOT_RUN: Code = Code {
    number: 608,
    title: "a module would not run under crun",
    meaning: "The module is damaged, a component of WASI preview 2, a library, or it imports functions that WasmEdge under crun \
        does not offer. Plugins are not loaded there.",
    mend: "compile for `wasm32-wasip1`, as a binary, and leave out the crate that imports what the message names.",
};

/// Slow.
pub const INTERPRETED: Code = Code {
    number: 609,
    title: "an image for x86-64 has no native code",
    meaning: "The engine interprets the module, which is about fifteen times slower than code compiled ahead of time.",
    mend: "build it without `--plain`.",
};

/// Root.
pub const ROOT: Code = Code {
    number: 610,
    title: "an image does not name a user by number, or names root",
    meaning: "Kubernetes refuses it where the pod has `runAsNonRoot` and no `runAsUser`: names cannot be looked up in an image \
        without `/etc/passwd`.",
    mend: "set `USER 65532` (`user:` in image.yaml).",
};

/// Nothing was looked at.
pub const NOT_SEEN: Code = Code {
    number: 611,
    title: "a layer cannot be looked into",
    meaning: "The layer is packed by something other than gzip, is damaged, or unpacks to more than a gibibyte; or the \
        layers of an image in a registry are so large that they were not fetched. What is in it is not known.",
    mend: "unpack it by other means, or pack it by gzip. Large images are looked into here: `skopeo copy docker://IMAGE oci:FOLDER`, \
        then inspect the folder.",
};

/// Not made here.
pub const NOT_ON_HOST: Code = Code {
    number: 612,
    title: "an image that deploy-tool works with is not on this host, or is too old",
    meaning: "Services are compiled in a builder image, kind clusters are made of a node image, and `node install` runs an \
        installer image. They are made on a host from the sources of deploy-tool, and are in no registry.",
    mend: "in a checkout of the sources of deploy-tool, run `make images`, and `scripts/images installer` for the installer. \
        Without one, a module that was compiled elsewhere is packed by `deploy-tool build --module FILE`, and other images \
        are named with `cluster up --node-image` and `node install --image`.",
};
