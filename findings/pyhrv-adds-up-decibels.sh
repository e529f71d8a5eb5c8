#!/bin/sh
# pyhrv 0.5.0: `ar_psd` turns its spectrum into decibels, times 1000, and adds those up for the bands'
# powers in ms2; `lomb_psd` asks for the angular frequencies 2 pi / f instead of 2 pi f. RR intervals
# that swing by 50 ms at 0.1 Hz and by 20 ms at 0.25 Hz have 1250 ms2 of LF, 200 of HF and a ratio of
# 6.3, which `welch_psd` finds; of the same intervals AR and Lomb say that HF prevails. No error.
# (nolds 0.5.2 and a setuptools below 81, so that it can be imported.)
#
# Seen: "1250 and 200 ms2: welch 1249 and 198, LF/HF 6.3; ar 5033 and 9013, LF/HF 0.6; lomb 694 and
# 1177, LF/HF 0.6".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    pyhrv==0.5.0 biosppy==2.2.4 peakutils==1.3.5 spectrum==0.10.0 nolds==0.5.2 "setuptools<81" numpy==2.4.6 scipy==1.17.1
cat > "$folder/try.py" <<'PYTHON'
import warnings

import matplotlib
import numpy as np

matplotlib.use("Agg")
warnings.simplefilter("ignore")
from pyhrv import frequency_domain  # noqa: E402

beats_s = [1.0]
while beats_s[-1] < 300:
    now = 2 * np.pi * beats_s[-1]
    beats_s.append(beats_s[-1] + 0.8 + 0.05 * np.sin(0.1 * now) + 0.02 * np.sin(0.25 * now))
rr_ms = 1000 * np.diff(beats_s)
said = []
for name, key in (("welch", "fft"), ("ar", "ar"), ("lomb", "lomb")):
    got = getattr(frequency_domain, f"{name}_psd")(rr_ms, show=False)
    _, lf, hf = got[f"{key}_abs"]
    said.append(f"{name} {lf:.0f} and {hf:.0f}, LF/HF {got[f'{key}_ratio']:.1f}")
print("1250 and 200 ms2:", "; ".join(said))
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "1250 and 200 ms2: welch 1249 and 198, LF/HF 6.3; ar 5033 and 9013, LF/HF 0.6; lomb 694 and 1177, LF/HF 0.6"
