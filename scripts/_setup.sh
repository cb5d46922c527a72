# Sourced by every command here: finds a fitting Python, sets up what is missing, and leaves the way to Python in $python.
# usage:  . scripts/_setup.sh; setup run|test|lint|tools
# Nothing is written outside the checkout, apart from system packages. The second time it only compares two short texts.

here="$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)"
python="$here/.venv/bin/python"

# What a set-up depends on. When any of it changes, setting up is done again (and finds most things in place).
_fingerprint() {
  printf '%s\n' "$here" "${VOICEGUIDE_MODELS:-}"
  cat "$here/pyproject.toml" "$here/requirements-dev.lock" "$here/models/models.toml" "$here"/scripts/_setup.* | cksum
  ls -1 "${VOICEGUIDE_MODELS:-$here/models}" 2>/dev/null || true
}

# Which set-ups have everything that this one needs.
_includes() {
  case "$1" in
    tools) echo tools run lint test ;;
    run) echo run test ;;
    lint) echo lint test ;;
    *) echo "$1" ;;
  esac
}

_fits() {
  "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1
}

_find_python() {
  local name
  for name in "${VOICEGUIDE_PYTHON:-}" python3.12 python3.13 python3.11 python3.10 python3; do
    if [ -n "$name" ] && command -v "$name" >/dev/null 2>&1 && _fits "$name"; then
      command -v "$name"
      return
    fi
  done
}

_no_python() {
  if [ "$(uname -s)" = Darwin ]; then
    echo "voiceguide needs Python 3.10 to 3.13. Install it with: brew install python@3.12" >&2
  else
    echo "voiceguide needs Python 3.10 to 3.13. Install it with: sudo apt install python3 python3-venv" >&2
  fi
  exit 3
}

setup() {
  local purpose="$1" mark="$here/.venv/.ready-$1" base now enough
  if [ -x "$python" ]; then
    if [ "${VOICEGUIDE_SETUP:-}" = no ]; then return; fi # tests of the commands must not install into their own hands
    now="$(_fingerprint)"
    for enough in $(_includes "$purpose"); do
      if [ -f "$here/.venv/.ready-$enough" ] && [ "$now" = "$(cat "$here/.venv/.ready-$enough")" ]; then
        return
      fi
    done
  fi
  base="$(_find_python)"
  if [ -z "$base" ] && command -v apt-get >/dev/null 2>&1; then # a bare machine: try to get one, quietly
    if [ "$(id -u)" = 0 ]; then
      { apt-get update && apt-get install -y --no-install-recommends python3 python3-venv; } >/dev/null 2>&1 || true
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
      { sudo -n apt-get update && sudo -n apt-get install -y --no-install-recommends python3 python3-venv; } >/dev/null 2>&1 || true
    fi
    base="$(_find_python)"
  fi
  [ -n "$base" ] || _no_python
  "$base" "$here/scripts/_setup.py" "$purpose" || exit $?
  # Written last: a set-up that was interrupted, or that left something out for now, is looked at again next time.
  if [ ! -f "$here/.venv/.wanting" ]; then
    _fingerprint >"$mark.new" && mv -f "$mark.new" "$mark"
  fi
}
