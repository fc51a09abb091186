# What Perilune needs from Debian 12 or 13, in one place: sourced by server/run.sh and tests/run.sh.
#
# Defines PL_BUILD_PACKAGES and PL_TEST_PACKAGES (what the tests need beyond them), and
# pl_install_packages NAME..., which installs those that are missing.

pl_release_name() {
  (. /etc/os-release 2>/dev/null && printf '%s' "${VERSION_CODENAME:-}") || :
}

PL_BUILD_PACKAGES="gcc libc6-dev cmake ninja-build pkgconf libuv1-dev liblua5.4-dev
  libcglm-dev libintelrdfpmath-dev"
PL_TEST_PACKAGES="libcmocka-dev g++ python3 python3-numpy nodejs curl lua5.4 lua-check lua-lpeg"
case $(pl_release_name) in
  bookworm)  # has llhttp as sources only, and the clang-format that the sources were formatted with
    PL_BUILD_PACKAGES="$PL_BUILD_PACKAGES node-llhttp"
    PL_TEST_PACKAGES="$PL_TEST_PACKAGES clang-format-14"
    ;;
  *) PL_BUILD_PACKAGES="$PL_BUILD_PACKAGES libllhttp-dev" ;;
esac

# Prints those of the packages in "$@" that are not installed.
pl_missing_packages() {
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
      printf ' %s' "$package"
  done
}

# Installs what is missing of "$@"; exits with the command to type when it may not.
pl_install_packages() {
  command -v dpkg-query >/dev/null || {
    echo "not a Debian system: make sure that you have the likes of $*" >&2
    return 0
  }
  missing=$(pl_missing_packages "$@")
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" -eq 0 ]; then
    as_root=env
  elif command -v sudo >/dev/null; then
    as_root=sudo
  else
    echo "Packages are missing, and only root can install them. As root:" >&2
    echo "apt-get update && apt-get install -y --no-install-recommends$missing" >&2
    exit 1
  fi
  echo "installing$missing" >&2
  # shellcheck disable=SC2086  # a list of words
  if ! { $as_root apt-get update -qq &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      $missing; } >&2 </dev/null; then
    echo "apt-get failed; the command was: apt-get install -y --no-install-recommends$missing" >&2
    exit 1
  fi
}
