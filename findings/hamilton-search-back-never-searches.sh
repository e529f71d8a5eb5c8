#!/bin/sh
# py-ecg-detectors 1.3.5 (numpy 2.4.6, scipy 1.17.1): the search-back of `hamilton_detector` never
# finds a beat. It looks for missed peaks in `peaks[idx[-2]+1:idx[-1]]`, but `idx` holds sample
# numbers where places in `peaks` are meant, so the slice lies beyond the list's end and is empty.
# On a made-up ECG with one beat of 40 % height the detector misses it; with the one assignment
# corrected it finds it. Cost on real records: every low beat after a long gap is missed without a
# word. neurokit2 0.3.0 (method "hamilton2002") and systole 0.3.1 (method "hamilton") carry the same
# lines.
#
# Seen: "beats 73, as installed 72, with the index corrected 73".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    py-ecg-detectors==1.3.5 numpy==2.4.6 scipy==1.17.1 pywavelets==1.9.0
"$folder/venv/bin/python" - <<'PYTHON'
import inspect

import ecgdetectors
import numpy as np

FS, LOW_BEAT, LOW_HEIGHT = 250, 40, 0.4
times_s = np.arange(60 * FS) / FS
beats_s = np.arange(1, 59, 0.8)
ecg = np.zeros_like(times_s)
for k, beat_s in enumerate(beats_s):
    height = LOW_HEIGHT if k == LOW_BEAT else 1.0
    ecg += height * 1e-3 * np.exp(-0.5 * ((times_s - beat_s) / 0.012) ** 2)
    ecg += 0.15e-3 * np.exp(-0.5 * ((times_s - beat_s - 0.25) / 0.05) ** 2)

source = inspect.getsource(ecgdetectors)
assert source.count("idx.append(i)") == 1
corrected = {"__name__": "corrected"}
exec(source.replace("idx.append(i)", "idx.append(len(peaks) - 1)"), corrected)

installed = len(ecgdetectors.Detectors(FS).hamilton_detector(ecg))
mended = len(corrected["Detectors"](FS).hamilton_detector(ecg))
print(f"beats {len(beats_s)}, as installed {installed}, with the index corrected {mended}")
assert (len(beats_s), installed, mended) == (73, 72, 73), "the behaviour has changed"
PYTHON
