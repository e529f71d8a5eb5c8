#!/bin/sh
# biosppy 2.2.4 (the newest on 2026-11-28): `pip install biosppy` gives a package whose ECG part
# cannot be imported, because `biosppy/signals/ecg.py` imports peakutils, which is not among the
# package's requirements. With peakutils 1.3.5 beside it, it works.
#
# Seen: "without: ModuleNotFoundError: No module named 'peakutils'; with peakutils: 10 of 10 beats".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check biosppy==2.2.4
cat > "$folder/try.py" <<'PYTHON'
import numpy as np
from biosppy.signals import ecg

times_s = np.arange(10 * 250) / 250
signal = sum(np.exp(-0.5 * ((times_s - b) / 0.012) ** 2) for b in np.arange(0.5, 10))
print(len(ecg.ecg(signal=signal, sampling_rate=250, show=False)["rpeaks"]), "of 10 beats")
PYTHON
without=$("$folder/venv/bin/python" "$folder/try.py" 2>&1 | tail -n 1)
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check peakutils==1.3.5
with=$("$folder/venv/bin/python" "$folder/try.py" 2>&1 | tail -n 1)
echo "without: $without; with peakutils: $with"
test "$without" = "ModuleNotFoundError: No module named 'peakutils'"
test "$with" = "10 of 10 beats"
