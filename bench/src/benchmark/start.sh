# shellcheck shell=bash
# Starts a container with the runtime alone, again and again: its start, the first answer, and the processor time of all
# programs that this took so far. What it makes is gone when it ends, however it ends.
set -eu
runtime=$1 image=$2 program=$3 count=$4 port=18199
folder=$(mktemp -d /run/bench-XXXXXX)
id=${folder#/run/}
clean() {
  "$runtime" delete --force "$id" >/dev/null 2>&1 || true
  ctr --namespace k8s.io images unmount --rm "$folder/root" >/dev/null 2>&1 || true
  rm -rf "$folder"
}
trap clean EXIT
mkdir "$folder/root"
ctr --namespace k8s.io images mount --rw "$image" "$folder/root" >/dev/null 2>&1
# The node's own network: names, addresses and their plugins are not what is measured here.
cat >"$folder/config.json" <<CONFIG
{"ociVersion": "1.0.2", "root": {"path": "root", "readonly": true},
 "process": {"args": ["$program"], "cwd": "/", "user": {"uid": 65532, "gid": 65532}, "noNewPrivileges": true,
  "env": ["LISTEN_ADDRESS=127.0.0.1:$port", "DATABASE_URL=mysql://none:none@127.0.0.1:1/none", "LOG=off"]},
 "annotations": {"module.wasm.image/variant": "compat-smart"},
 "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
  {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]}],
 "linux": {"cgroupsPath": "/$id",
  "namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}]}}
CONFIG
for ((i = 0; i < count; i++)); do
  start=$EPOCHREALTIME
  "$runtime" run --bundle "$folder" "$id" >"$folder/log" 2>&1 </dev/null &
  running=$!
  until { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null; do
    kill -0 "$running" 2>/dev/null || { cat "$folder/log" >&2; exit 1; }
  done
  printf 'GET / HTTP/1.0\r\n\r\n' >&3
  IFS= read -r -t 20 answer <&3
  end=$EPOCHREALTIME
  exec 3>&-
  # By the shell itself: another program's time would be counted as well. The file ends without a line's end.
  read -r child _ <"/proc/$running/task/$running/children" || [ -n "$child" ]
  kill -KILL "$child"
  wait "$running" || true
  echo "start $start $end ${answer%$'\r'}"
  times
done
