//! 04xx: the history of a release, and who may write it.

use crate::error_code::Code;

pub(super) const CODES: &[&Code] = &[
    &TAKEN,
    &LOST,
    &UNREADABLE_REVISION,
    &REVISION_TOO_LARGE,
    &NO_SUCH_REVISION,
    &ANOTHER_RELEASE,
    &NAMESPACE_MISSING,
    &IMAGE_GONE,
    &NOT_GONE,
];

/// DT0401: another deploy-tool has locked the release.
pub const TAKEN: Code = Code {
    number: 401,
    title: "another deploy-tool has locked the release",
    explanation: "A deployment writes its revision into the cluster before anything else, and renews it every five seconds. The \
        newest revision is such a one, of another host or another cache folder, and was renewed within the last twenty seconds.",
    fix: "wait until it has ended, then run the same command again. When its process is gone, twenty seconds are enough: \
        the next run then takes over, marks that revision as failed, and goes on from what it left.",
};

/// DT0402: the deployment has lost its release.
pub const LOST: Code = Code {
    number: 402,
    title: "the deployment has lost its release",
    explanation: "The revision of this deployment could not be renewed in time, or it was finished or deleted by another \
        deployment or by a user. Two who deploy at once would undo each other's work, so this one stops. What it has applied stays.",
    fix: "look who else deploys (`deploy-tool history`), then run the same command again.",
};

/// DT0403: a revision in the cluster cannot be read.
pub const UNREADABLE_REVISION: Code = Code {
    number: 403,
    title: "a revision in the cluster cannot be read",
    explanation: "The Secret of a revision was changed by hand, or written by a newer deploy-tool in a form that this one does not \
        know. Without it, it is unknown what the release owns, so nothing is applied and nothing deleted.",
    fix: "use the version that has written it or a newer one, or delete that Secret, which is only the record.",
};

/// DT0404: the manifests are too large to be recorded.
pub const REVISION_TOO_LARGE: Code = Code {
    number: 404,
    title: "the manifests are too large to be recorded",
    explanation: "A revision is kept as one Secret, compressed, and a Secret takes \
        [1 MiB](https://kubernetes.io/docs/concepts/configuration/secret/#restriction-data-size).",
    fix: "divide the manifests into several releases, each with a name of its own (`--release`).",
};

/// DT0405: there is no such revision.
pub const NO_SUCH_REVISION: Code = Code {
    number: 405,
    title: "there is no such revision",
    explanation: "The last ten revisions are kept, and the newest that came up. A rollback leads to one of them that came up.",
    fix: "choose a number that `deploy-tool history` lists as deployed.",
};

/// DT0406: the release of this name is made of other manifests.
pub const ANOTHER_RELEASE: Code = Code {
    number: 406,
    title: "the release of this name is made of other manifests",
    explanation: "Nothing that the manifests define belongs to the release that is deployed under this name: everything it has \
        would be deleted as no longer wanted. Without `--release`, a release has the name of its namespace.",
    fix: "give the release of these manifests a name of its own with `--release`; or delete the other one first, with \
        `deploy-tool down`, if these manifests are to take its place.",
};

/// DT0407: the release's namespace does not exist.
pub const NAMESPACE_MISSING: Code = Code {
    number: 407,
    title: "the release's namespace does not exist",
    explanation: "The revisions of a release are kept in its namespace, which neither exists nor is among the manifests.",
    fix: "add the Namespace to the manifests, or create it: `kubectl create namespace NAME`.",
};

/// DT0408: an image of the revision is gone.
pub const IMAGE_GONE: Code = Code {
    number: 408,
    title: "an image of the revision is gone",
    explanation: "The image of an earlier revision is neither on the cluster's nodes nor in the cache of this host, and there is no \
        registry to pull it from. Nothing was changed.",
    fix: "check that revision's source out and run `deploy-tool up`: the same source gives the same image.",
};

/// DT0409: an object is marked for deletion and does not go.
pub const NOT_GONE: Code = Code {
    number: 409,
    title: "an object is marked for deletion and does not go",
    explanation: "The cluster deletes an object when its \
        [finalizers](https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/) have been removed by the \
        programs that set them. One of them has not done so in time, or does not run any more. A namespace also stays while \
        an APIService does not answer: it is not known then what is left in it.",
    fix: "start the program that the finalizer belongs to, or wait longer with `--timeout`. `kubectl get apiservices` \
        names those that are not available. Removing a finalizer by hand skips what it is there for.",
};
