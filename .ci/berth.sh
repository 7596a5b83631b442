# Sourced by the checks that talk to a berth-local of their own.
# shellcheck shell=bash

# start_berth BINARY LOG [OPTION …]: starts it on free ports at 100 times AWS's speed and waits until it is up.
# Sets pid, api (its URL) and aws (the AWS endpoint's port).
start_berth() {
  local binary=$1 log=$2
  shift 2
  # Emptied here: the redirection below happens in the child, maybe later than the first look, and what a berth-local
  # before this one has written says "up" as well.
  : >"$log"
  "$binary" --port 0 --aws-port 0 --speed 100 "$@" >>"$log" 2>&1 &
  pid=$!
  for _ in $(seq 600); do
    if grep -q '^Berth is up' "$log"; then
      api=$(sed -n 's|^Berth is up: API \(http://[0-9.:]*\),.*|\1|p' "$log")
      aws=$(sed -n 's|^Berth is up: .*AWS endpoint http://127.0.0.1:\([0-9]*\),.*|\1|p' "$log")
      return 0
    fi
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  echo "berth-local has ended, or is not up after 60 s. Its log:"
  cat "$log"
  return 1
}

# Says which command failed, and what berth-local had to say; for `trap … ERR`. On standard error: what a command prints is
# often kept in a variable.
tell() {
  echo "FAILED at line $1: $2"
  cat "$3"
} >&2
