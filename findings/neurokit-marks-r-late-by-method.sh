#!/bin/sh
# neurokit2 0.3.0: `ecg_process(method=)` calls what it finds ECG_R_Peaks. With pantompkins1985 the
# marks lie 92 ms behind R, with elgendi2010 76 ms and with hamilton2002 64 ms, where the filtered and
# integrated signal crosses a threshold or peaks; neurokit and engzeemod2012 mark R itself. PR and QT
# that are measured from them, and a comparison within 50 ms, are wrong by as much. A clean, synthetic
# signal.
#
# Seen: "ms late: neurokit 0, engzeemod2012 0, pantompkins1985 92, elgendi2010 76, hamilton2002 64".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check neurokit2==0.3.0
cat > "$folder/try.py" <<'PYTHON'
import neurokit2
import numpy as np

RATE_HZ = 500
beats_s = np.arange(0.5, 30, 0.8)
times_s = np.arange(round((beats_s[-1] + 0.5) * RATE_HZ)) / RATE_HZ
signal = sum(np.exp(-0.5 * ((times_s - b) / 0.012) ** 2) for b in beats_s)
signal += 0.005 * np.random.default_rng(0).standard_normal(len(times_s))
said = []
for method in ("neurokit", "engzeemod2012", "pantompkins1985", "elgendi2010", "hamilton2002"):
    _, found = neurokit2.ecg_process(signal, RATE_HZ, method=method)
    marks_s = np.asarray(found["ECG_R_Peaks"]) / RATE_HZ
    late_s = [marks_s[np.argmin(abs(marks_s - b))] - b for b in beats_s[3:-3]]
    said.append(f"{method} {1000 * np.median(late_s):.0f}")
print("ms late:", ", ".join(said))
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "ms late: neurokit 0, engzeemod2012 0, pantompkins1985 92, elgendi2010 76, hamilton2002 64"
