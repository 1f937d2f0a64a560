//! 06xx: images.

use super::Code;

pub(super) const CODES: &[&Code] = &[&MALFORMED];

/// No layout, or a damaged one.
pub const MALFORMED: Code = Code {
    number: 601,
    title: "an image is damaged, or is none",
    meaning: "An image on this host is an [OCI layout](https://github.com/opencontainers/image-spec/blob/main/image-layout.md): \
        a folder, or the same in a tar file. It is read only when every part is there and has the size and the SHA-256 \
        that its index says, so that no part of an image is taken for all of it.",
    mend: "make it again (`deploy-tool build`), or copy it again from where it came from. An archive of the old form of \
        `docker save` becomes a layout by `skopeo copy docker-archive:OLD oci-archive:NEW`.",
};
