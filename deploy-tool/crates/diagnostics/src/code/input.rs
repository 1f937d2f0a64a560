//! 01xx: arguments, settings and manifests that cannot be used.

use crate::error_code::Code;

pub(super) const CODES: &[&Code] = &[
    &UNKNOWN_KIND,
    &UNKNOWN_FIELD,
    &INVALID_OBJECT,
    &UNREADABLE_PLAN,
    &NO_YAML,
    &NO_OBJECT,
    &OTHER_TOOL,
    &OBJECT_TWICE,
    &INEXACT_IMAGE,
    &NO_MANIFESTS,
    &UNKNOWN_IMAGE,
    &SEVERAL_NAMESPACES,
    &IMAGES_UNSEEN,
    &VARIANT_BESIDE_SIDECAR,
];

/// DT0101: the cluster does not know a kind of object.
pub const UNKNOWN_KIND: Code = Code {
    number: 101,
    title: "the cluster does not know a kind of object",
    explanation: "A manifest's `apiVersion` and `kind` name nothing that this cluster has. Either they are misspelt, or of a \
        version that the cluster has no longer ([deprecated \
        versions](https://kubernetes.io/docs/reference/using-api/deprecation-guide/)), or what defines the kind is not \
        installed.",
    fix: "correct `apiVersion` and `kind`; the message names the nearest kind that there is (`kubectl api-resources` lists \
        all). A CustomResourceDefinition may be in the same manifests: deploy-tool applies it first, and waits for it.",
};

/// DT0102: a manifest has an unknown field.
pub const UNKNOWN_FIELD: Code = Code {
    number: 102,
    title: "a manifest has an unknown field",
    explanation: "Fields are checked strictly, so that a misspelt one is not left out without a word \
        ([field validation](https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation)).",
    fix: "correct the field that the message names; `kubectl explain KIND --recursive` lists what there is.",
};

/// DT0103: the cluster refuses a value of a manifest.
pub const INVALID_OBJECT: Code = Code {
    number: 103,
    title: "the cluster refuses a value of a manifest",
    explanation: "The object has the right form, and one of its values breaks a rule of its kind. Nothing has been written: a \
        dry run has found it.",
    fix: "correct the field that the message names.",
};

/// DT0104: a file is not a saved plan.
pub const UNREADABLE_PLAN: Code = Code {
    number: 104,
    title: "a file is not a saved plan",
    explanation: "`apply --plan` takes a file that `plan --save` has written, of the same major version of deploy-tool.",
    fix: "save the plan again: `deploy-tool plan --save FILE`.",
};

/// DT0105: a manifest is not valid YAML.
pub const NO_YAML: Code = Code {
    number: 105,
    title: "a manifest is not valid YAML",
    explanation: "The text breaks a rule of YAML, holds a key twice in one map, is in an encoding other than UTF-8 (or UTF-16 \
        with a byte order mark), or exceeds a limit that keeps a few lines of aliases from filling the memory. The message \
        names file, line and column. Files are read as kubectl reads them, JSON included.",
    fix: "correct the line. Templates are no YAML before they are rendered: `helm template NAME CHART --no-hooks | \
        deploy-tool apply -f -`. A file that is too large is split into several.",
};

/// DT0106: a manifest is not a Kubernetes object.
pub const NO_OBJECT: Code = Code {
    number: 106,
    title: "a manifest is not a Kubernetes object",
    explanation: "An object has an `apiVersion`, a `kind` and a `metadata.name`, all of them text, and maps of text as labels and \
        annotations. YAML reads `n`, `no`, `off`, `y`, `yes` and `on` as true or false and `1` as a number, unless they are \
        in quotes. `metadata.generateName` cannot be applied: each run would make one more object.",
    fix: "complete the line that the message names; put text that YAML takes for something else in quotes.",
};

/// DT0107: a file is made for another tool.
pub const OTHER_TOOL: Code = Code {
    number: 107,
    title: "a file is made for another tool",
    explanation: "A folder with a `kustomization.yaml` or a `Chart.yaml` holds what kustomize or Helm make objects of, and an object \
        with the annotation `helm.sh/hook` is run by Helm at one moment of an installation and removed afterwards. Applied \
        as they are, the first would be half of what is meant, and the second would stay for ever.",
    fix: "let that tool make the objects, and deploy those: `kubectl kustomize FOLDER | deploy-tool apply -f -`, `helm template \
        NAME CHART --no-hooks | deploy-tool apply -f -`. An object that shall be applied as an ordinary one loses its annotation \
        `helm.sh/hook`.",
};

/// DT0108: an object is in the manifests twice.
pub const OBJECT_TWICE: Code = Code {
    number: 108,
    title: "an object is in the manifests twice",
    explanation: "Two documents have the same kind, namespace and name, and only one of them could be applied.",
    fix: "remove one of the two places that the message names, or give one another name.",
};

/// DT0109: an image has no exact tag.
pub const INEXACT_IMAGE: Code = Code {
    number: 109,
    title: "an image has no exact tag",
    explanation: "The tag `latest`, and no tag at all, mean another image tomorrow: going back to an earlier revision would not bring \
        back what ran then. All places that run an image are looked at: containers of all sorts and image volumes, in \
        workloads, Pods, CronJobs and templates.",
    fix: "name a version or a digest.",
};

/// DT0110: there are no manifests.
pub const NO_MANIFESTS: Code = Code {
    number: 110,
    title: "there are no manifests",
    explanation: "The files or folders that `-f` names do not exist, cannot be read, or hold no objects. Of a folder the files that end in \
        .yaml, .yml or .json are read, without its subfolders.",
    fix: "name the files or folders with `-f`, also several times; run the command in the project's folder.",
};

/// DT0111: an image that is built here is not known.
pub const UNKNOWN_IMAGE: Code = Code {
    number: 111,
    title: "an image that is built here is not known",
    explanation: "A manifest has a placeholder, `deploy-tool://NAME`, in place of an image. `apply` builds nothing: it takes the image that \
        the release has already, and the release has none.",
    fix: "build and deploy it: `deploy-tool up`.",
};

/// DT0112: the manifests do not say where the release is.
pub const SEVERAL_NAMESPACES: Code = Code {
    number: 112,
    title: "the manifests do not say where the release is",
    explanation: "A release is in one namespace, where its history is kept. The manifests name several.",
    fix: "say which one with `--namespace`; the objects stay where they say.",
};

/// DT0113: it is not known which images an object runs.
pub const IMAGES_UNSEEN: Code = Code {
    number: 113,
    title: "it is not known which images an object runs",
    explanation: "`--require-signature` lets through only what runs signed images. Of Kubernetes' own kinds it is known where their images \
        are; what the controller of another kind makes of an object, and what a MutatingAdmissionPolicy puts into pods, is not.",
    fix: "look at what the controller runs, then allow the kind by name: `--allow-unsigned KIND.GROUP`, for instance \
        `--allow-unsigned Gateway.gateway.networking.k8s.io`. Images that can be seen in such objects are checked all the same.",
};

/// DT0114: a pod with a sidecar is given to the Wasm engine as a whole.
pub const VARIANT_BESIDE_SIDECAR: Code = Code {
    number: 114,
    title: "a pod with a sidecar is given to the Wasm engine as a whole",
    explanation: "With the annotation `module.wasm.image/variant: compat` crun gives every container of the pod to WasmEdge. A         sidecar is an ordinary program: WasmEdge cannot load it, and it ends again and again.",
    fix: "write `module.wasm.image/variant: compat-smart`: only entrypoints that end in `.wasm` are given to WasmEdge.",
};
