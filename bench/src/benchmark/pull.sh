# shellcheck shell=bash
# Pulls an image as a kubelet would find it, and removes it again.
set -eu
start=$EPOCHREALTIME
ctr --namespace k8s.io images pull --hosts-dir /etc/containerd/certs.d "$1" >/dev/null
end=$EPOCHREALTIME
ctr --namespace k8s.io images remove --sync "$1" >/dev/null
echo "pull $start $end"
