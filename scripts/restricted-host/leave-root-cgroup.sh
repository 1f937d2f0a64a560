# shellcheck shell=bash
# For a container in which an engine is to run: on cgroup v2, a cgroup with processes in it hands no controllers on, so all of
# them leave the container's root for a child of it. `docker exec` may bring more meanwhile. hack/dind of
# https://github.com/moby/moby does the same. Elsewhere nothing happens: a machine's own root has no cgroup.type, and a systemd
# does this itself. Source this file, or give it to sh.
cgroup=/sys/fs/cgroup
if [ -f $cgroup/cgroup.controllers ] && [ -f $cgroup/cgroup.type ] && [ "$(cat /proc/1/cgroup)" = 0::/ ] \
  && [ ! -d /run/systemd/system ]; then
  mkdir -p $cgroup/init
  tries=10
  until
    # Some have ended since they were listed.
    xargs -r -n 1 <$cgroup/cgroup.procs >$cgroup/init/cgroup.procs 2>/dev/null || true
    sed 's/^/+/; s/ / +/g' $cgroup/cgroup.controllers >$cgroup/cgroup.subtree_control
  do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || { echo "the processes in $cgroup cannot be moved: an engine could start no container" >&2; exit 1; }
  done
fi
