//! 07xx: registries.

use crate::error_code::Code;

pub(super) const CODES: &[&Code] = &[
    &LOGIN_NEEDED,
    &LOGIN_REFUSED,
    &LOGIN_EXPIRED,
    &PUSH_REFUSED,
    &REPOSITORY_UNKNOWN,
    &CREDENTIALS_UNREADABLE,
    &AUTHORITY_UNKNOWN,
    &NOT_A_REGISTRY,
    &REGISTRY_NOT_REACHED,
    &CONNECTION_LOST,
    &RATE_LIMITED,
    &DIGEST_MISMATCH,
    &TOO_LARGE,
    &REGISTRY_FAILS,
    &CONTENT_REFUSED,
    &NOT_SIGNED,
    &SIGNED_BY_OTHERS,
    &READ_REFUSED,
    &NO_PROVENANCE,
    &PROVENANCE_BY_OTHERS,
    &PROVENANCE_CHANGED,
    &PROVENANCE_OF_OTHER,
    &OTHER_BUILDER,
    &SIGNED_FOR_ANOTHER,
    &OTHER_SOURCE,
];

/// DT0701: the registry asks for a login, and there is none.
pub const LOGIN_NEEDED: Code = Code {
    number: 701,
    title: "the registry asks for a login, and there is none",
    explanation: "The registry gives this to known users only, and no login was found: the message says where it was looked for. \
        `REGISTRY_USERNAME` and `REGISTRY_PASSWORD` are sent to the registry that `REGISTRY_HOST` names, and without it only \
        where something is pushed or signed.",
    fix: "`docker login REGISTRY`, or pipe the password: `deploy-tool push … --user NAME --password-stdin < FILE`. For \
        Docker Hub an [access token](https://docs.docker.com/security/access-tokens/) does the same and can do less.",
};

/// DT0702: the registry refuses user or password.
pub const LOGIN_REFUSED: Code = Code {
    number: 702,
    title: "the registry refuses user or password",
    explanation: "There is a login for this registry, and the registry or its token server does not accept it.",
    fix: "log in again: `docker login REGISTRY`. Environment variables come before what `docker login` has kept: the \
        message says whose login it was.",
};

/// DT0703: the login has expired.
pub const LOGIN_EXPIRED: Code = Code {
    number: 703,
    title: "the login has expired",
    explanation: "The registry's token server no longer exchanges the identity token that `docker login` has kept, or the \
        registry refuses also a fresh token as expired: then its clock and that of its token server differ.",
    fix: "log in again: `docker login REGISTRY`. If a fresh login is refused as well, the registry's clock is wrong: tell \
        who runs it.",
};

/// DT0704: this user may not push there.
pub const PUSH_REFUSED: Code = Code {
    number: 704,
    title: "this user may not push there",
    explanation: "The login is accepted, but this user or access token has no right to write into the repository; or the \
        repository does not exist and is not made by pushing. Docker Hub says the same of both.",
    fix: "look whether the name is spelt correctly and begins with a user or organisation of yours; make the repository \
        first where the registry asks for that (ECR does); give the access token the right to write.",
};

/// DT0705: the registry does not know the repository, or not that name.
pub const REPOSITORY_UNKNOWN: Code = Code {
    number: 705,
    title: "the registry does not know the repository, or not that name",
    explanation: "The registry has no such repository and makes none by itself, or does not allow such a name.",
    fix: "correct the name, or make the repository first.",
};

/// DT0706: stored registry credentials cannot be read.
pub const CREDENTIALS_UNREADABLE: Code = Code {
    number: 706,
    title: "stored registry credentials cannot be read",
    explanation: "The registry wants a login, and one that could have been it cannot be read: a file of Docker or podman is no JSON \
        as they write it, or the credential helper that it names is missing, fails or does not answer.",
    fix: "fix or remove the file and log in again, install the helper, or pipe the password: --user NAME \
        --password-stdin.",
};

/// DT0707: the registry's certificate is not trusted.
pub const AUTHORITY_UNKNOWN: Code = Code {
    number: 707,
    title: "the registry's certificate is not trusted",
    explanation: "The certificate is signed by an authority that this host does not know, has expired, or is made for another \
        name. Nothing has been sent.",
    fix: "name the file of the authority, or of a certificate that is its own authority: --registry-ca FILE. Files `*.crt` in \
        `/etc/docker/certs.d/HOST:PORT`, `/etc/containers/certs.d/HOST:PORT` and `~/.config/containers/certs.d/HOST:PORT`, \
        as Docker and podman have them, are found here as well, and so is `SSL_CERT_FILE`.",
};

/// DT0708: that is not a registry.
pub const NOT_A_REGISTRY: Code = Code {
    number: 708,
    title: "that is not a registry",
    explanation: "A server answers at that address, but not as the OCI distribution specification wants it: it is a web page, a \
        proxy's login page, speaks plain HTTP where TLS is expected, or leads from TLS to plain HTTP elsewhere (a proxy in \
        front of it that does not send `X-Forwarded-Proto: https`).",
    fix: "correct the registry's name and port. A registry without TLS on another machine takes --insecure-http: \
        whoever sits between can then read the password and change the image.",
};

/// DT0709: the registry is not reached.
pub const REGISTRY_NOT_REACHED: Code = Code {
    number: 709,
    title: "the registry is not reached",
    explanation: "Its name does not resolve, no server listens there, or no answer comes, also after several attempts.",
    fix: "correct the name and port, or let this host reach it. `HTTPS_PROXY` and `NO_PROXY` are followed.",
};

/// DT0710: the upload to the registry failed after several attempts.
pub const CONNECTION_LOST: Code = Code {
    number: 710,
    title: "the upload to the registry failed after several attempts",
    explanation: "An upload went on where it was cut several times, and came no further in the end. The tag is as it was: it is \
        moved last.",
    fix: "run the same command again: what the registry has already is not sent again.",
};

/// DT0711: the registry's rate limit is reached (HTTP 429).
pub const RATE_LIMITED: Code = Code {
    number: 711,
    title: "the registry's rate limit is reached (HTTP 429)",
    explanation: "It answers 429 also after pauses, or asks for a pause of more than two minutes. Docker Hub counts requests \
        without a login by address.",
    fix: "log in, or run the same command again later: what the registry has already is not sent again.",
};

/// DT0712: digest or size of an image in the registry does not match.
pub const DIGEST_MISMATCH: Code = Code {
    number: 712,
    title: "digest or size of an image in the registry does not match",
    explanation: "The registry names another digest or size than that of what was sent, or refuses it as damaged: something on \
        the way changes bytes, the registry is broken, or the file was changed meanwhile. The tag is as it was.",
    fix: "run the same command again; if it comes again, build the image again, and avoid proxies on the way.",
};

/// DT0713: a size limit or quota of the registry is exceeded.
pub const TOO_LARGE: Code = Code {
    number: 713,
    title: "a size limit or quota of the registry is exceeded",
    explanation: "A part of the image is larger than the registry, or a proxy in front of it, accepts, or its quota or disk is \
        full.",
    fix: "delete what is not needed there, raise the quota, or the proxy's limit (nginx: `client_max_body_size`).",
};

/// DT0714: the registry answers with a server error (HTTP 5xx).
pub const REGISTRY_FAILS: Code = Code {
    number: 714,
    title: "the registry answers with a server error (HTTP 5xx)",
    explanation: "It answers with an error of its own, also after several attempts.",
    fix: "run the same command again later: what the registry has already is not sent again.",
};

/// DT0715: the registry does not accept the image.
pub const CONTENT_REFUSED: Code = Code {
    number: 715,
    title: "the registry does not accept the image",
    explanation: "It refuses a manifest or a part of it, for the reason that the message shows: old registries take no index or \
        no OCI media types, and some have rules of their own for tags.",
    fix: "read what it says; a tag that may not be moved needs a new name.",
};

/// DT0716: the image is not signed.
pub const NOT_SIGNED: Code = Code {
    number: 716,
    title: "the image is not signed",
    explanation: "There is nothing under the tag `sha256-….sig` in the image's repository, where this tool and cosign 2 keep \
        signatures, or what is there is something else, and no bundle of cosign 3 is attached to it. A signature is of a \
        digest: a new build has none yet.",
    fix: "sign it after the push: `deploy-tool sign IMAGE@sha256:… --key FILE`, or with cosign.",
};

/// DT0717: the image is signed with another key.
pub const SIGNED_BY_OTHERS: Code = Code {
    number: 717,
    title: "the image is signed with another key",
    explanation: "It has signatures, and none of them is of this digest by the holder of the key that was asked for.",
    fix: "take the public key of who has signed it; if it should have been signed by this one, do not use the image, and \
        find out who has pushed it.",
};

/// DT0718: this user may not read there.
pub const READ_REFUSED: Code = Code {
    number: 718,
    title: "this user may not read there",
    explanation: "The login is accepted, or none was asked for, but the registry does not let this user or access token read from \
        the repository. Docker Hub says the same of a repository that does not exist.",
    fix: "look whether the name is spelt correctly; get the right to read, or log in as a user who has it: `docker login \
        REGISTRY`.",
};

/// DT0719: the image has no signed provenance.
pub const NO_PROVENANCE: Code = Code {
    number: 719,
    title: "the image has no signed provenance",
    explanation: "There is nothing under the tag `sha256-….att` in the image's repository, where this tool and cosign 2 keep signed \
        statements, no bundle of cosign 3 is attached to it, or there is no SLSA provenance among them. Who built the image is then not known: what is attached without a \
        signature could have been written by anybody.",
    fix: "push what `deploy-tool build` has made, and sign it: `deploy-tool sign IMAGE@sha256:… --key FILE` signs the \
        provenance that is attached as well.",
};

/// DT0720: the provenance is signed with another key.
pub const PROVENANCE_BY_OTHERS: Code = Code {
    number: 720,
    title: "the provenance is signed with another key",
    explanation: "The image has signed provenance, and none of it is signed by the holder of the key that was asked for.",
    fix: "take the public key of who has signed it; if it should have been signed by this one, do not use the image.",
};

/// DT0721: the provenance was changed after it was signed.
pub const PROVENANCE_CHANGED: Code = Code {
    number: 721,
    title: "the provenance was changed after it was signed",
    explanation: "The provenance names the key that was asked for, and its signature is not of these bytes: a user who can write \
        into the repository has changed it, or it is damaged.",
    fix: "do not use the image; find out who has written into the repository, push and sign the image again.",
};

/// DT0722: the provenance is of another image.
pub const PROVENANCE_OF_OTHER: Code = Code {
    number: 722,
    title: "the provenance is of another image",
    explanation: "The holder of the key has signed it, for an image with another digest: it was copied from there, by mistake or to \
        deceive.",
    fix: "do not use the image; push it again from where it was built, and sign it.",
};

/// DT0723: the image was built by another builder.
pub const OTHER_BUILDER: Code = Code {
    number: 723,
    title: "the image was built by another builder",
    explanation: "Its provenance is signed by the right key, and names another builder than `--builder` asks for. The pattern is of \
        the whole name; `*` stands for any text.",
    fix: "correct the pattern, or take an image of the right builder.",
};

/// DT0724: the image is signed for another repository.
pub const SIGNED_FOR_ANOTHER: Code = Code {
    number: 724,
    title: "the image is signed for another repository",
    explanation: "The holder of the key has signed an image with this digest, and the signature names the repository that it was \
        signed in, which is another one: the image was copied from there, as a mirror does, or to pass off one image as \
        another.",
    fix: "name the repository that it was copied from: `--signed-as REPOSITORY`; or sign it where it is now.",
};

/// DT0725: the image was built from other sources.
pub const OTHER_SOURCE: Code = Code {
    number: 725,
    title: "the image was built from other sources",
    explanation: "Its provenance is signed by the right key, and names another repository of sources than `--source` asks for, or \
        none: only what is built with `--revision` names one. The pattern is of the whole address; `*` stands for any text.",
    fix: "correct the pattern, or take an image of the right sources.",
};
