# shellcheck shell=bash
# What this host lacks for running containers the ordinary way. Source this file.
# Each answer is looked up, none assumed: on an ordinary host all of them say no, and nothing special happens.

# cgroup v1, alone or hybrid: kubelet ≥ 1.35 and systemd ≥ 256 refuse it unless told otherwise.
host_has_cgroup_v1() { [ ! -f /sys/fs/cgroup/cgroup.controllers ]; }

# A hybrid host whose v2 side carries controllers: crun refuses it, so Docker gets a mount namespace without that side.
host_has_hybrid_controllers() { [ -s /sys/fs/cgroup/unified/cgroup.controllers ]; }

# Without CAP_SYS_RESOURCE (bit 24 of the bounding set) runc cannot give a privileged container "all" capabilities.
host_lacks_sys_resource() {
  local bounding
  bounding=$(awk '/^CapBnd:/ { print $2 }' /proc/self/status)
  [ $((0x$bounding >> 24 & 1)) -eq 0 ]
}

# Any of them: the node image needs oci/node/restricted on top.
host_is_restricted() { host_has_cgroup_v1 || host_lacks_sys_resource; }
