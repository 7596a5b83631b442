# Sourced by the checks that talk to a berth-local of their own: a folder to work in, berth-local's log there, its start and
# end, and what is said and cleared away when the check ends.
# shellcheck shell=bash

work=$(mktemp -d)
log=$work/log
touch "$log"
pid=
trap 'finish "$?" "$BASH_COMMAND"' EXIT

finish() {
  if [ "$1" != 0 ]; then
    printf 'FAILED: %s\nberth-local has said:\n' "$2"
    cat "$log"
  fi >&2
  [ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || true
  rm -rf "$work"
}

# start_berth BINARY [OPTION …]: starts it on free ports at 100 times AWS's speed and waits until it is up.
# Sets pid, api (its URL) and aws (the AWS endpoint's port).
start_berth() {
  # Emptied here: the redirection below happens in the child, maybe later than the first look, and what a berth-local
  # before this one has written says "up" as well.
  : >"$log"
  "$@" --port 0 --aws-port 0 --speed 100 >>"$log" 2>&1 &
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
  echo "berth-local has ended, or is not up after 60 s"
  return 1
}

# Ends it as Ctrl-C does.
stop_berth() {
  kill -INT "$pid"
  wait "$pid"
  pid=
}
