#!/bin/sh
# hrv-analysis 1.0.6 with nolds 0.6.3 (what pip chooses on 2026-11-29): `import hrvanalysis` ends
# in a TypeError on Python 3.11, because nolds, which both packages' metadata allow there, asks
# importlib.resources for the files of a module, which Python takes from 3.12 on. Nothing at
# installation says so.
#
# Seen on Python 3.11: "TypeError: 'nolds.datasets' is not a package".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check hrv-analysis==1.0.6 nolds==0.6.3
cat > "$folder/try.py" <<'PYTHON'
try:
    import hrvanalysis

    print("imported", hrvanalysis.__name__)
except TypeError as error:
    print("TypeError:", error)
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "TypeError: 'nolds.datasets' is not a package"
