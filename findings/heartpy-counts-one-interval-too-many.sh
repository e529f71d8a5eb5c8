#!/bin/sh
# heartpy 1.2.7 (which needs pkg_resources, hence setuptools below 81): `get_samplerate_mstimer` and
# `get_samplerate_datetime` divide the number of samples by the time between the first and the last,
# where there is one interval less. A clock of exactly 4 ms gives 252.5 Hz over 100 samples, and heart
# rate and RR are wrong by that: the more, the shorter the piece that was measured. No rounding, no
# warning.
#
# Seen: "250 Hz; 100 samples: 252.53 and 252.53; 1000 samples: 250.25 and 250.25".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check heartpy==1.2.7 "setuptools<81"
cat > "$folder/try.py" <<'PYTHON'
import datetime

import heartpy
import numpy as np

said = []
for n in (100, 1000):
    by_timer = heartpy.get_samplerate_mstimer(np.arange(n) * 4.0)
    start = datetime.datetime(2020, 1, 1)
    clock = [f"{start + datetime.timedelta(milliseconds=4 * i):%H:%M:%S.%f}" for i in range(n)]
    by_clock = heartpy.get_samplerate_datetime(np.array(clock), timeformat="%H:%M:%S.%f")
    said.append(f"{n} samples: {by_timer:.2f} and {by_clock:.2f}")
print("250 Hz;", "; ".join(said))
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "250 Hz; 100 samples: 252.53 and 252.53; 1000 samples: 250.25 and 250.25"
