#!/usr/bin/env bash
# Puts a data set into a folder; the last line of standard output is the folder's path, all else is on stderr.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

usage() {
  cat >&2 <<'END'
usage: jobs/get-data.sh NAME [DIR]      DIR is data/NAME in the project unless given
  20news         20 newsgroups, by date: 18,846 messages of 20 groups, one file each
  fashion-mnist  70,000 images of 28 x 28 pixels of 10 kinds of clothes
  mnist          70,000 images of 28 x 28 pixels of the 10 digits
  parkinsons     195 voice recordings, 22 features, 2 classes
It is taken from the first of these that has it: the folder TWOFOLD_DATA, ../shared/data beside the project,
the Debian package, the public home page. Exit code: 0 done, 64 wrong usage, 66 not to be had.
END
  exit 64
}

say() { echo "get-data: $*" >&2; }

[ $# -eq 1 ] || [ $# -eq 2 ] || usage
name=$1 dir=${2:-$root/data/$1}

# Checksums are of what a file holds: uncompressed, without carriage returns in text. So it does not matter who
# compressed it, or for which system its lines ended.
declare -A files=()
train=20news-bydate-train test=20news-bydate-test
package='' package_folder=''
case $name in
  20news)
    page=http://qwone.com/~jason/20Newsgroups/20news-bydate.tar.gz
    page_sum=8f1b2514ca22a5ade8fbb9cfa5727df95fa587f4c87b786e15c759fa66d95610 # of the archive itself
    ;;
  fashion-mnist)
    package=dataset-fashion-mnist package_folder=/usr/share/datasets/fashion-mnist
    page=https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion
    files=(
      [train-images-idx3-ubyte.gz]=c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888
      [train-labels-idx1-ubyte.gz]=bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9
      [t10k-images-idx3-ubyte.gz]=5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b
      [t10k-labels-idx1-ubyte.gz]=0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34
    )
    ;;
  mnist)
    page=https://storage.googleapis.com/cvdf-datasets/mnist
    files=(
      [train-images-idx3-ubyte.gz]=ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db
      [train-labels-idx1-ubyte.gz]=65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5
      [t10k-images-idx3-ubyte.gz]=0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7
      [t10k-labels-idx1-ubyte.gz]=ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2
    )
    ;;
  parkinsons)
    page=https://archive.ics.uci.edu/ml/machine-learning-databases/parkinsons
    files=([parkinsons.data]=455009076cd278efb0b2fb9307c0682834c477fa582ca6c10367128dd7a1c6db)
    ;;
  *)
    say "unknown data set $name"
    usage
    ;;
esac

# ------------------------------------------------------------------ checks

# Number of documents below a folder, 0 where there is none.
documents() {
  if [ -d "$1" ]; then find "$1" -type f | wc -l; else echo 0; fi
}

is_complete() {
  local file
  if [ "$name" = 20news ]; then
    [ "$(documents "$1/$train")" -eq 11314 ] && [ "$(documents "$1/$test")" -eq 7532 ]
  else
    for file in "${!files[@]}"; do [ -f "$1/$file" ] || return 1; done
  fi
}

# ------------------------------------------------------------------ sources
# Each one fills the empty folder `staged`, or prints why it cannot and fails.

take_files() {
  local from=$1 file sum=
  for file in "${!files[@]}"; do
    cp --no-preserve=mode "$from/$file" "$staged/$file" 2>&1 || return 1
    case $file in
      *.gz) sum=$(gzip -dc "$staged/$file" 2>/dev/null | sha256sum) ;;
      *) sed -i 's/\r$//' "$staged/$file" && sum=$(sha256sum <"$staged/$file") ;;
    esac
    if [ "${sum%% *}" != "${files[$file]}" ]; then
      echo "$file is damaged there, or of another data set (checksum)"
      return 1
    fi
  done
}

unpack() {
  # As root, tar would otherwise restore owners that mean nothing here.
  tar -xf "$1" -C "$staged" --no-same-owner --no-same-permissions 2>&1 || return 1
  if ! is_complete "$staged"; then
    echo "$1 holds $(documents "$staged/$train") training and $(documents "$staged/$test") test documents" \
      "where 11314 and 7532 belong"
    return 1
  fi
}

from_folder() {
  local folder archive
  if [ ! -d "$1" ]; then
    echo "no such folder"
    return 1
  fi
  for folder in "$1/$name" "$1"; do
    if is_complete "$folder"; then
      if [ "$name" != 20news ]; then
        take_files "$folder"
      else
        cp -r --no-preserve=mode "$folder/$train" "$folder/$test" "$staged" 2>&1
      fi
      return
    fi
    for archive in "$folder"/20news-bydate.tar.{xz,gz}; do
      if [ "$name" = 20news ] && [ -f "$archive" ]; then
        unpack "$archive"
        return
      fi
    done
  done
  if [ "$name" = 20news ]; then
    echo "neither 20news-bydate.tar.xz nor .tar.gz is there, nor in a folder 20news"
  else
    echo "it lacks ${!files[*]}, and so does its folder $name, if any"
  fi
  return 1
}

from_package() {
  local folder=$package_folder
  if [ ! -d "$folder" ]; then
    if ! command -v apt-get >/dev/null; then
      echo "this system has no apt"
      return 1
    elif [ "$(id -u)" -eq 0 ]; then
      if ! "$root/jobs/setup.sh" --only "$package"; then
        echo "it could not be installed"
        return 1
      fi
    else # without the right to install, it can still be unpacked here
      (cd "$work" && apt-get -q download "$package" && dpkg-deb -x "$package"_*.deb unpacked) 2>&1 || return 1
      folder=$work/unpacked$package_folder
    fi
  fi
  take_files "$folder"
}

download() {
  say "downloading $1"
  if ! command -v curl >/dev/null && ! command -v wget >/dev/null &&
    ! "$root/jobs/setup.sh" --only curl ca-certificates; then
    echo "neither curl nor wget is there to fetch it with"
    return 1
  fi
  if command -v curl >/dev/null; then
    curl -fsSL --connect-timeout 15 --speed-limit 1000 --speed-time 30 --max-time 900 -o "$2" "$1" 2>&1
  else
    wget -nv --tries=2 --timeout=30 -O "$2" "$1" 2>&1
  fi
}

from_page() {
  local file
  if [ "$name" = 20news ]; then
    file=$work/20news-bydate.tar.gz
    download "$page" "$file" || return 1
    if [ "$(sha256sum <"$file" | cut -d' ' -f1)" != "$page_sum" ]; then
      echo "what came is not the archive that is known (checksum)"
      return 1
    fi
    unpack "$file"
    return
  fi
  mkdir -p "$work/page"
  for file in "${!files[@]}"; do
    download "$page/$file" "$work/page/$file" || return 1
  done
  take_files "$work/page"
}

# ------------------------------------------------------------------ main

reasons=()
try() {
  local source=$1 reason part
  shift
  rm -rf "$staged"
  mkdir "$staged"
  if ! reason=$("$@"); then
    reasons+=("$source: ${reason//$'\n'/$'\n'      }")
    return 1
  fi
  # -T: never into a folder that another run has put there meanwhile; that run's is as good
  for part in "$staged"/*; do
    if ! mv -T "$part" "$dir/${part##*/}" 2>/dev/null; then
      sleep 1
      is_complete "$dir" && break
      say "cannot move ${part##*/} to $dir"
      exit 66
    fi
  done
  say "$name from $source"
}

get() {
  local shared part
  shared=$(dirname "$root")/shared/data
  for part in "$dir/$train" "$dir/$test"; do
    if [ "$name" = 20news ] && [ -e "$part" ]; then
      say "$part is there but not complete: remove it, then run this again"
      return 1
    fi
  done
  # In DIR, and so on its file system: all takes its place by renaming, when it is complete.
  if ! mkdir -p "$dir" || ! work=$(mktemp -d "$dir/.get-data.XXXXXX"); then
    say "cannot write to $dir: name another folder, jobs/get-data.sh $name DIR"
    return 1
  fi
  staged=$work/staged
  trap 'rm -rf "$work"; rmdir --ignore-fail-on-non-empty "$dir"' EXIT
  trap 'exit 130' INT TERM

  if [ -z "${TWOFOLD_DATA-}" ]; then
    reasons+=("the folder TWOFOLD_DATA: not set")
  elif try "the folder TWOFOLD_DATA=$TWOFOLD_DATA" from_folder "$TWOFOLD_DATA"; then
    return 0
  fi
  if try "the folder $shared" from_folder "$shared"; then return 0; fi
  if [ -n "$package" ] && try "the Debian package $package" from_package; then return 0; fi
  if try "the home page $page" from_page; then return 0; fi
  say "$name was not to be had:"
  printf '  - %s\n' "${reasons[@]}" >&2
  say "put its files into a folder and name that in TWOFOLD_DATA"
  return 1
}

is_complete "$dir" || get || exit 66
(cd "$dir" && pwd)
