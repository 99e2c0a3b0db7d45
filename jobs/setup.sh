#!/usr/bin/env bash
# Installs what Twofold is built with, where something is missing (Debian and Ubuntu; elsewhere it looks and tells).
set -euo pipefail

usage() {
  cat >&2 <<'END'
usage: jobs/setup.sh [--tests | --experiments | --only PACKAGE...]
  (nothing)      what building and running needs
  --tests        also what the checks and tests need
  --experiments  also what the figures of jobs/experiments are made with
  --only         these packages and no others
Exit code: 0 all is there, 64 wrong usage, 69 something is missing and cannot be installed from here.
END
  exit 64
}

say() { echo "setup: $*" >&2; }

# Recommended packages are not installed: hence libc6-dev beside gcc. slepc-dev would be content with complex scalars.
packages=(gcc libc6-dev cmake ninja-build pkg-config petsc-dev libslepc-real-dev libopenmpi-dev openmpi-bin
  libopenblas-dev libhdf5-openmpi-dev zlib1g-dev xz-utils)
figure_packages=(gnuplot-nox hdf5-tools)
test_packages=(clang-format cppcheck doxygen g++ make valgrind python3 python3-h5py
  shellcheck "${figure_packages[@]}"
  slurmctld slurmd slurm-client slurm-wlm-basic-plugins munge iproute2) # a cluster in small

mode=build
case ${1-} in
  '') ;;
  --tests) mode=tests packages+=("${test_packages[@]}") && shift ;;
  --experiments) mode=experiments packages+=("${figure_packages[@]}") && shift ;;
  --only) mode=only && shift && packages=("$@") ;;
  *) usage ;;
esac
if [ "$mode" = only ]; then [ $# -gt 0 ] || usage; else [ $# -eq 0 ] || usage; fi

# ------------------------------------------------------------------ what is there

# Prints those of the packages that are not installed.
missing_packages() {
  local installed package
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' -- "$@" 2>/dev/null || true)
  for package in "$@"; do
    grep -qxF "installed $package" <<<"$installed" || echo "$package"
  done
}

# Prints what a build would not find, for systems where it comes another way, such as a cluster's modules.
missing_by_hand() {
  local command
  for command in cc cmake mpicc pkg-config; do
    command -v "$command" >/dev/null || echo "$command"
  done
  command -v ninja >/dev/null || command -v make >/dev/null || echo ninja
  [ "$mode" != experiments ] || for command in gnuplot h5dump; do command -v "$command" >/dev/null || echo "$command"; done
  command -v pkg-config >/dev/null || return 0
  pkg-config --exists 'petsc >= 3.18' || pkg-config --exists 'PETSc >= 3.18' || echo PETSc
  pkg-config --exists 'slepc >= 3.18' || pkg-config --exists 'SLEPc >= 3.18' || echo SLEPc
}

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  if [ "$mode" = only ]; then
    say "this system has no apt to install ${packages[*]} with"
    exit 69
  fi
  mapfile -t missing < <(missing_by_hand)
  [ ${#missing[@]} -gt 0 ] || exit 0
  say "not found: ${missing[*]}"
  cat >&2 <<'END'
This system has no apt, so please provide, for instance by your cluster's modules:
  a C11 compiler, CMake 3.21 or newer, Ninja or make, pkg-config, MPI, zlib, LAPACK, HDF5 built with MPI,
  PETSc and SLEPc 3.18 or newer (real scalars, built with HDF5); for figures also gnuplot 5.4 or newer and
  HDF5's h5dump.
pkg-config must find PETSc and SLEPc: add the folders that hold their .pc files to PKG_CONFIG_PATH, mostly
  $PETSC_DIR/$PETSC_ARCH/lib/pkgconfig and $SLEPC_DIR/$PETSC_ARCH/lib/pkgconfig
END
  exit 69
fi

mapfile -t missing < <(missing_packages "${packages[@]}")
[ ${#missing[@]} -gt 0 ] || exit 0

# ------------------------------------------------------------------ install

give_up() {
  say "missing packages: ${missing[*]}"
  say "$1; as root, this installs them:"
  echo "  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}" >&2
  exit 69
}

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    as_root=(sudo)
  elif [ "$mode" = build ] && [ -z "$(missing_by_hand)" ]; then
    say "going on without the packages ${missing[*]}: PETSc and SLEPc were found by pkg-config"
    exit 0
  else
    give_up "you are not root here, nor allowed to use sudo"
  fi
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" </dev/null >>"$log" 2>&1
}

say "installing ${missing[*]} (a minute or more)"
# The lists of packages are fetched only if installing fails without: they are absent or too old then.
if ! apt install --no-install-recommends "${missing[@]}"; then
  if ! { apt update && apt install --no-install-recommends "${missing[@]}"; }; then
    tail -n 20 "$log" >&2
    give_up "apt-get failed (its last lines are above), perhaps for want of a network or of permission"
  fi
fi
say "installed"
