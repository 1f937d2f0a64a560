//! 0301 to 0306: images that cannot be pulled.

use crate::error_code::Code;

/// DT0301: the registry does not have the image.
pub const IMAGE_NOT_FOUND: Code = Code {
    number: 301,
    title: "the registry does not have the image",
    explanation: "The node has reached the registry, which knows no such image or no such tag. It is told at the kubelet's \
        first attempt, and decided when the release stands still: it may still be pushed. \
        `kubectl get pods` shows `ErrImagePull` or `ImagePullBackOff`.",
    fix: "correct the image's name and tag, or push the image. Who may not see an image is told the same by some \
        registries: then the pod needs `imagePullSecrets`.",
};

/// DT0302: the registry wants credentials for the image.
pub const IMAGE_REFUSED: Code = Code {
    number: 302,
    title: "the registry wants credentials for the image",
    explanation: "The node has reached the registry, which asks for a login that the pod does not bring, or refuses the one \
        it brings ([imagePullSecrets](https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/)). \
        `kubectl get pods` shows `ErrImagePull` or `ImagePullBackOff`.",
    fix: "make a Secret with `kubectl create secret docker-registry` in the pod's namespace and name it under \
        `imagePullSecrets` of the pod template.",
};

/// DT0303: the image is made for another platform.
pub const IMAGE_FOR_ANOTHER_PLATFORM: Code = Code {
    number: 303,
    title: "the image is made for another platform",
    explanation: "The image's index has no entry for the node's processor and operating system, or the image's program is \
        none for this processor. Images with the platform `wasi/wasm` belong to this as well: containerd looks for the \
        node's own platform. \
        `kubectl get pods` shows `ErrImagePull` or `ImagePullBackOff` where the index has no entry, `CrashLoopBackOff` where the program is another processor's.",
    fix: "build the image for the node's platform (`kubectl get nodes --label-columns kubernetes.io/arch` lists them), \
        or choose fitting nodes with a `nodeSelector`. Images of `deploy-tool build` carry the node's platform.",
};

/// DT0304: the node does not reach the registry.
pub const REGISTRY_UNREACHABLE: Code = Code {
    number: 304,
    title: "the node does not reach the registry",
    explanation: "The registry's name does not resolve, no server listens there, or no answer comes. It may pass, so \
        deploy-tool keeps waiting. \
        `kubectl get pods` shows `ErrImagePull` or `ImagePullBackOff`.",
    fix: "look whether the image's registry is spelt correctly and whether the nodes may reach it; behind a proxy \
        containerd needs its settings. Images that are built here can be loaded into kind's nodes instead.",
};

/// DT0305: the image's name is not a valid image name.
pub const IMAGE_NAME_INVALID: Code = Code {
    number: 305,
    title: "the image's name is not a valid image name",
    explanation: "The kubelet cannot read the name: upper-case letters, an empty tag and blanks are not allowed \
        ([image names](https://kubernetes.io/docs/concepts/containers/images/#image-names)). \
        `kubectl get pods` shows `InvalidImageName`.",
    fix: "correct `image` in the manifest.",
};

/// DT0306: the image is not on the node, and must not or cannot be pulled.
pub const IMAGE_NOT_ON_NODE: Code = Code {
    number: 306,
    title: "the image is not on the node, and must not or cannot be pulled",
    explanation: "Either `imagePullPolicy: Never` forbids the pull, or the name begins with `localhost/`: such images are in \
        no registry, they have to be loaded into the nodes. \
        `kubectl get pods` shows `ErrImageNeverPull`, `ErrImagePull` or `ImagePullBackOff`.",
    fix: "`deploy-tool up` loads the images it builds into kind's nodes; `kind load docker-image` does so with others.",
};
