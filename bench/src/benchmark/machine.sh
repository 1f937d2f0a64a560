# shellcheck shell=bash
# What the node is, for who reads the figures.
echo "processor $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
echo "cores $(nproc)"
echo "memory $(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo)"
echo "load $(cut -d ' ' -f 1 /proc/loadavg)"
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then echo "cgroup 2"; else echo "cgroup 1"; fi
for runtime in "$@"; do
  echo "runtime $runtime: $("$runtime" --version | head -n 1)"
done
