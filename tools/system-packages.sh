#!/bin/sh
# Installs what pip can't, where that is allowed: graphviz's `dot`, which draws the pictures; GNU's OpenMP runtime,
# which numba's parallel kernels need and its wheels leave out; on Debian, Python's means to make environments.
# What stays missing is said in one line and stops nothing here.
set -u
python=$1

lacks_dot() { ! command -v dot >/dev/null; }
lacks_openmp() { [ "$(uname)" = Linux ] && ! "$python" -c 'import ctypes; ctypes.CDLL("libgomp.so.1")' 2>/dev/null; }
lacks_venv() { ! "$python" -c 'import ensurepip' 2>/dev/null; }

openmp=libgomp venv='' root=''
for manager in apt-get dnf pacman apk brew ''; do
    if [ -z "$manager" ] || command -v $manager >/dev/null; then break; fi
done
case $manager in
    apt-get)
        openmp=libgomp1
        venv=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
        install='apt-get install -y --no-install-recommends'
        export DEBIAN_FRONTEND=noninteractive
        ;;
    dnf) install='dnf install -y' ;;
    pacman) openmp=gcc-libs install='pacman -S --noconfirm' ;;
    apk) install='apk add' ;;
    brew) install='brew install' ;;
    *) install='' ;;
esac

missing=''
if lacks_dot; then missing="$missing graphviz"; fi
if lacks_openmp; then missing="$missing $openmp"; fi
if lacks_venv; then missing="$missing $venv"; fi
if [ -z "${missing# }" ]; then exit 0; fi

if [ -z "$install" ]; then
    echo "Not here, and no package manager that could bring it:$missing"
    exit 0
fi
if [ "$manager" != brew ] && [ "$(id -u)" != 0 ]; then
    root=sudo
    if ! sudo -n true 2>/dev/null; then
        echo "Not here:$missing. To install: sudo $install$missing"
        exit 0
    fi
fi

echo "Installing$missing ($manager)"
log=$(mktemp)
if [ "$manager" = apt-get ]; then $root apt-get update </dev/null >"$log" 2>&1; fi
if ! $root $install $missing </dev/null >>"$log" 2>&1; then
    echo "That failed, and the rest goes on without. $manager said: $(tail -n 1 "$log")"
fi
rm -f "$log"
