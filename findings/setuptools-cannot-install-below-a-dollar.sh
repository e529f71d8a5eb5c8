#!/bin/sh
# setuptools 80.9.0: a wheel cannot be built with an environment whose path has a `$` before a letter.
# distutils expands the installation's folders as templates, after `sys.prefix` has been filled in,
# and takes the rest of the path for a variable's name. Spaces, quotes and parentheses do no harm.
#
# Seen: "plain's (1): built; cash$box: ValueError: invalid variable 'box'".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/package"
echo 'x = 1' >"$folder/package/plain.py"
cat >"$folder/package/pyproject.toml" <<'TOML'
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "plain"
version = "1"
[tool.setuptools]
py-modules = ["plain"]
TOML
build() {
    python3 -m venv "$folder/$1"
    "$folder/$1/bin/python" -m pip install --quiet --disable-pip-version-check setuptools==80.9.0 wheel==0.45.1
    if "$folder/$1/bin/python" -m pip wheel --no-build-isolation --no-deps --disable-pip-version-check \
        -w "$folder/out" "$folder/package" >"$folder/log" 2>&1; then
        echo built
    else
        grep -o 'ValueError: .*' "$folder/log" | head -n 1
    fi
}
plain=$(build "plain's (1)")
dollar=$(build 'cash$box')
echo "plain's (1): $plain; cash\$box: $dollar"
test "$plain" = built
test "$dollar" = "ValueError: invalid variable 'box'"
