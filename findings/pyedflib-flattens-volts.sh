#!/bin/sh
# pyedflib 0.1.42: `highlevel.make_signal_headers` proposes a physical range of -200 to 200, whatever
# unit it is told. In V a step of 16 bits is then 6.1 mV, and an ECG of 1 mV becomes a flat line
# without a warning from `write_edf`; in mV it keeps 289 of its values, at 6 uV a step. (write_edf
# warns of signals that are too large, not of those that are too small.)
#
# Seen: "in mV: 289 values of 1000; in V: 1 values of 1000; 0 warnings".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyedflib==0.1.42 numpy==2.4.6
cat > "$folder/try.py" <<'PYTHON'
import warnings

import numpy as np
from pyedflib import highlevel

ecg_mv = np.sin(np.arange(1000) / 10)
said = []
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    for unit, signal in (("mV", ecg_mv), ("V", ecg_mv / 1000)):
        headers = highlevel.make_signal_headers(["ECG"], dimension=unit, sample_frequency=100)
        highlevel.write_edf("rec.edf", signal[None], headers)
        read, _, _ = highlevel.read_edf("rec.edf")
        said.append(f"in {unit}: {len(np.unique(read))} values of {len(np.unique(signal))}")
print("; ".join([*said, f"{len(told)} warnings"]))
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "in mV: 289 values of 1000; in V: 1 values of 1000; 0 warnings"
