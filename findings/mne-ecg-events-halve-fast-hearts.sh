#!/bin/sh
# mne 1.13.2 (numpy 2.4.6, scipy 1.17.1): `find_ecg_events` cannot report more than 120 beats a
# minute. After each detection it jumps half a second ahead (`win_size = 60 * sfreq / 120`), so of a
# regular rhythm above 120 it finds every other beat and reports half the pulse, without a warning,
# although its documentation speaks of choosing the threshold that gives 40 to 160 beats a minute.
#
# Seen: "110 per minute: 217 of 217 beats, pulse 108.5; 130 per minute: 128 of 256, pulse 64.0"
# (a record of two minutes, its first and last second empty).
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    mne==1.13.2 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'PYTHON'
import mne
import numpy as np

FS, SECONDS = 250, 120


def found(per_minute):
    times_s = np.arange(SECONDS * FS) / FS
    beats_s = np.arange(1, SECONDS - 1, 60 / per_minute)
    ecg = sum(1e-3 * np.exp(-0.5 * ((times_s - b) / 0.012) ** 2) for b in beats_s)
    info = mne.create_info(["ECG"], FS, ["ecg"], verbose="error")
    raw = mne.io.RawArray(ecg[None], info, verbose="error")
    events, _, pulse = mne.preprocessing.find_ecg_events(raw, verbose="error")
    return len(beats_s), len(events), round(float(pulse), 1)


slow, fast = found(110), found(130)
print(f"110 per minute: {slow[1]} of {slow[0]} beats, pulse {slow[2]}; "
      f"130 per minute: {fast[1]} of {fast[0]}, pulse {fast[2]}")
assert slow == (217, 217, 108.5) and fast == (256, 128, 64.0), "the behaviour has changed"
PYTHON
