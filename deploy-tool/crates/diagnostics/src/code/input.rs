//! 01xx: arguments, settings and manifests that cannot be used.

use crate::error_code::Code;

pub(super) const CODES: &[&Code] = &[&UNKNOWN_KIND, &UNKNOWN_FIELD, &INVALID_OBJECT, &UNREADABLE_PLAN];

/// The cluster has no such kind.
pub const UNKNOWN_KIND: Code = Code {
    number: 101,
    title: "the cluster does not know a kind of object",
    explanation: "A manifest's `apiVersion` and `kind` name nothing that this cluster has. Either they are misspelt, or of a \
        version that the cluster has no longer ([deprecated \
        versions](https://kubernetes.io/docs/reference/using-api/deprecation-guide/)), or what defines the kind is not \
        installed.",
    fix: "correct `apiVersion` and `kind`; the message names the nearest kind that there is (`kubectl api-resources` lists \
        all). A CustomResourceDefinition may be in the same manifests: it is applied, and waited for, first.",
};

/// The kind has no such field.
pub const UNKNOWN_FIELD: Code = Code {
    number: 102,
    title: "a manifest has a field that its kind has not",
    explanation: "Fields are checked strictly, so that a misspelt one is not left out without a word \
        ([field validation](https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation)).",
    fix: "correct the field that the message names; `kubectl explain KIND --recursive` lists what there is.",
};

/// A value is refused.
pub const INVALID_OBJECT: Code = Code {
    number: 103,
    title: "the cluster refuses a value of a manifest",
    explanation: "The object has the right form, and one of its values breaks a rule of its kind. Nothing has been written: a \
        dry run has found it.",
    fix: "correct the field that the message names.",
};

/// The file is no plan.
pub const UNREADABLE_PLAN: Code = Code {
    number: 104,
    title: "a file is no saved plan",
    explanation: "`apply --plan` takes a file that `plan --save` has written, of the same major version of deploy-tool.",
    fix: "save the plan again: `deploy-tool plan --save FILE`.",
};
