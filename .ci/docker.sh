#!/bin/bash
# A Docker daemon for the container tests.
#
#   .ci/docker.sh answers   exits with 0 when a daemon answers
#   .ci/docker.sh start     starts a daemon when none answers; does nothing when one does
#   .ci/docker.sh stop      stops the daemon that `start` started, and only that one; prints nothing
#
# The daemon keeps its data, pid and log in PUNCTUAL_DOCKER_HOME (default: /tmp/punctual-docker) and
# listens on /var/run/docker.sock, where every client looks first. Starting one needs root.
set -euo pipefail

home=${PUNCTUAL_DOCKER_HOME:-${TMPDIR:-/tmp}/punctual-docker}
socket=/var/run/docker.sock
patience=30 # seconds for a daemon to answer

say() { echo "docker: $*" >&2; }

answers() { docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

install_daemon() {
  command -v dockerd >/dev/null && command -v docker >/dev/null && return 0
  say "installing docker.io"
  export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 # no service is started by the package
  apt-get update -qq >&2
  apt-get install -y -qq --no-install-recommends docker.io iptables >&2
  # A package of its own since Debian 13.
  command -v docker >/dev/null || apt-get install -y -qq --no-install-recommends docker-cli >&2
}

running_pid() {
  local pid
  pid=$(cat "$home/dockerd.pid" 2>/dev/null) || return 1
  [[ $(cat "/proc/$pid/comm" 2>/dev/null) == dockerd ]] && echo "$pid"
}

# Kernels without nf_tables refuse the default iptables; the legacy one is tried, on dockerd's PATH only.
firewall_path() {
  if iptables -t nat -L -n >/dev/null 2>&1 || ! command -v iptables-legacy >/dev/null; then
    echo "$PATH"
    return
  fi
  mkdir -p "$home/bin"
  local tool
  for tool in iptables ip6tables; do
    ln -sf "$(command -v "$tool-legacy")" "$home/bin/$tool"
  done
  echo "$home/bin:$PATH"
}

# The last resort, vfs, copies every layer in full: slow and large, but it works on any file system.
launch() {
  local driver=$1 waited
  mkdir -p "$home/data" "$home/exec"
  rm -f "$home/dockerd.pid"
  PATH=$(firewall_path) setsid dockerd --host "unix://$socket" --data-root "$home/data" --exec-root "$home/exec" \
    --pidfile "$home/dockerd.pid" --storage-driver "$driver" >"$home/dockerd.log" 2>&1 </dev/null &
  local child=$!
  for ((waited = 0; waited < patience * 5; waited++)); do
    if answers; then
      disown "$child"
      return 0
    fi
    kill -0 "$child" 2>/dev/null || return 1
    sleep 0.2
  done
  kill "$child" 2>/dev/null || true
  wait "$child" 2>/dev/null || true
  return 1
}

start() {
  if answers; then
    say "a daemon answers already"
    return 0
  fi
  if [[ -n ${DOCKER_HOST:-} && $DOCKER_HOST != "unix://$socket" ]]; then
    say "nothing answers at DOCKER_HOST=$DOCKER_HOST; unset it or start that daemon"
    return 1
  fi
  if [[ $(id -u) != 0 ]]; then
    say "no daemon answers and starting one needs root"
    return 1
  fi
  install_daemon
  local driver
  for driver in overlay2 vfs; do
    if launch "$driver"; then
      say "started with $driver, data in $home"
      return 0
    fi
    say "no daemon with $driver: $(tail -n 1 "$home/dockerd.log")"
  done
  return 1
}

stop() {
  local pid waited
  pid=$(running_pid) || return 0
  kill "$pid"
  for ((waited = 0; waited < patience * 5; waited++)); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.2
  done
}

case ${1:-start} in
  answers) answers ;;
  start) start ;;
  stop) stop ;;
  *) say "usage: .ci/docker.sh answers|start|stop" && exit 2 ;;
esac
