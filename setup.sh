#!/bin/sh
# Set up this checkout: Debian packages that are missing, then .venv. Quick when all is there.
#   ./setup.sh user   to build, flash and replay (no TensorFlow)
#   ./setup.sh dev    also to train, lint and test
#   ./setup.sh bench  to compare the engine with others (no TensorFlow)
set -eu
cd "$(dirname "$0")"
level=${1:-user}

debian="gcc libc6-dev qemu-system-arm gcc-arm-none-eabi libnewlib-arm-none-eabi"
extras=
# A user gets the newest libraries that pyproject.toml allows; who tests gets those of constraints.txt.
constraints=
all_extras=train,cluster,flash,dev
installed_file=.venv/installed
case $level in
user) ;;
dev)
    debian="$debian clang clang-format libclang-rt-14-dev qemu-system-misc gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf"
    debian="$debian gcc-xtensa-lx106 picolibc-xtensa-lx106-elf"
    # Flashers: their failures are tested on the tools themselves.
    debian="$debian openocd dfu-util stm32flash"
    # Node.js runs the emulated RP2040, and builds and tests the page, which Chromium opens; the fonts have
    # Hindi and Vietnamese. Node's own packages bring npm, Debian's do not.
    debian="$debian chromium fonts-noto-core"
    command -v npm >/dev/null || debian="$debian nodejs npm"
    extras=$all_extras
    constraints="--constraint constraints.txt"
    ;;
bench)
    debian="$debian qemu-system-misc gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf"
    extras=bench
    installed_file=.venv/installed_bench # beside what else is installed, which it does not replace
    ;;
*)
    echo "error: ./setup.sh takes 'user', 'dev' or 'bench', not '$level'" >&2
    exit 2
    ;;
esac

case $PWD in
*\$*)
    echo "error: setuptools takes a \$ in a path for a variable's: move this checkout out of '$PWD'" >&2
    exit 2
    ;;
esac
python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "error: Python 3.11 or newer is needed: install it, or name it with PYTHON=/path/to/python3 make ..." >&2
    exit 2
fi
"$python" -c 'import ensurepip, venv' 2>/dev/null || debian="$debian python3-venv"

if command -v dpkg-query >/dev/null; then
    missing=
    for package in $debian; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing="$missing $package"
    done
    if [ -n "$missing" ]; then
        # Recommended packages would bring 1.6 GB of C++ libraries that nothing here uses.
        install="apt-get install -y --no-install-recommends$missing"
        if [ "$(id -u)" = 0 ]; then
            as_root=
        elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
            as_root=sudo
        else
            echo "error: Debian packages are missing and there is no way to become root here; have this line run, then try again:" >&2
            echo "    apt-get update && $install" >&2
            exit 2
        fi
        echo "setup: installing$missing"
        log=$(mktemp)
        if ! { $as_root apt-get update -q && $as_root env DEBIAN_FRONTEND=noninteractive $install; } >"$log" 2>&1; then
            tail -n 5 "$log" >&2
            echo "error: apt-get failed (log: $log); run this line, then try again:" >&2
            echo "    apt-get update && $install" >&2
            exit 2
        fi
        rm -f "$log"
    fi
else
    for tool in gcc qemu-system-arm arm-none-eabi-gcc; do
        command -v $tool >/dev/null || {
            echo "error: '$tool' is not on PATH and this is no Debian: install it with your system's packages, then try again" >&2
            exit 2
        }
    done
fi

# The emulated RP2040, and what the page is built and tested with, pinned by their lock files; beside
# the Python packages below.
npm_packages() {
    for folder in boards/rp2040js_pico web; do
        cmp -s $folder/package-lock.json $folder/node_modules/.installed && continue
        echo "setup: installing $folder's npm packages"
        if ! npm ci --prefix $folder --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null; then
            echo "error: npm could not install $folder's packages; see its message above, then run make again" >&2
            return 2
        fi
        cp $folder/package-lock.json $folder/node_modules/.installed
    done
}
node=
if [ "$level" = dev ]; then
    npm_packages &
    node=$!
fi
await_node() { # with its failure
    [ -z "$node" ] || wait "$node" || exit 2
}

[ -x .venv/bin/python ] || "$python" -m venv .venv
# The stamp says what was installed: pip runs again only when one of these files or the level changes.
stamp() {
    printf '%s %s' "$1" "$(cat pyproject.toml constraints.txt | cksum)"
}
installed=$(cat $installed_file 2>/dev/null || true)
if [ "$installed" = "$(stamp "$extras")" ] || [ "$installed" = "$(stamp "$all_extras")" ]; then
    await_node
    exit 0
fi
echo "setup: installing Python packages into .venv${extras:+ ($extras)}"
# What is never imported, most of TensorFlow, need not be compiled; Python compiles the rest when it is.
if ! .venv/bin/pip install --quiet --no-compile --disable-pip-version-check $constraints --editable ".${extras:+[$extras]}"; then
    echo "error: pip could not install the Python packages; see its message above, then run make again" >&2
    exit 2
fi
await_node
# Sources that a device's keys are built with, pinned by hash; a build asks again where this fails.
.venv/bin/python -m einthoven.third_party >/dev/null || true
stamp "$extras" >$installed_file
