//! 02xx: the cluster takes an object otherwise than the manifest says, or not at all.

use super::Code;

pub(super) const CODES: &[&Code] = &[&FIELD_CONFLICT];

/// Another manager has the field.
pub const FIELD_CONFLICT: Code = Code {
    number: 201,
    title: "another program has set a field of the manifest",
    meaning: "Every field has one owner \
        ([server-side apply](https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts)). Another \
        program, or a person with `kubectl edit`, has set a field that the manifest sets to something else. It is left as \
        it is: nothing is taken over by force.",
    mend: "undo the other change, or leave the field out of the manifest.",
};
