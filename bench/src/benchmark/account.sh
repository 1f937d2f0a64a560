# shellcheck shell=bash
# What the kernel counts for the container with this id, under either version of cgroups.
find /sys/fs/cgroup -type d -name "*$1*" | while read -r folder; do
  for file in memory.usage_in_bytes memory.current memory.stat cpuacct.usage cpu.stat; do
    [ ! -f "$folder/$file" ] || sed "s|^|$file |" "$folder/$file"
  done
done
