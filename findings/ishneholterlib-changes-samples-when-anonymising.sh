#!/bin/sh
# ishneholterlib 2020.5.29 (with numpy 1.26.4): a Holter that is read, made anonymous by `deidentify`
# and written has other samples. They become mV as floats, and on the way back are cut off instead of
# rounded: of 2001 counts, -1000 to 1000 at 2500 nV, some are one step nearer to zero. What does not
# fit 16 bits wraps round, and after `write_file` the object's own leads hold counts where they held
# mV.
#
# Seen: "42 of 2001 differ, by 1; first in memory: -2.5 mV, then -1000".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    ishneholterlib==2020.5.29 numpy==1.26.4
cat > "$folder/try.py" <<'PYTHON'
import struct

import ishneholterlib
import numpy as np

counts = np.arange(-1000, 1001, dtype="<i2")
header = bytearray(522)
header[:8] = b"ISHNE1.0"
struct.pack_into("<iiiih", header, 10, 0, len(counts), 522, 522, 1)
struct.pack_into("<6h", header, 132, 1, 1, 1960, 1, 1, 2020)  # born, recorded
struct.pack_into("<6h", header, 144, 1, 1, 2020, 22, 0, 0)  # written, begun
struct.pack_into("<h12h12h12h", header, 156, 1, *[6] * 12, *[1] * 12, *[2500] * 12)
struct.pack_into("<h", header, 272, 200)
open("in.ecg", "wb").write(bytes(header) + counts.tobytes())
holter = ishneholterlib.Holter("in.ecg", check_valid=False)
holter.load_data()
before = holter.lead[0].data[0]
holter.deidentify()
holter.filename = "out.ecg"
holter.write_file()
written = np.fromfile("out.ecg", "<i2", offset=522)
differ = int((written != counts).sum())
after = holter.lead[0].data[0]
print(f"{differ} of {len(counts)} differ, by {np.abs(written - counts).max()}; first in memory: {before} mV, then {after:.0f}")
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "42 of 2001 differ, by 1; first in memory: -2.5 mV, then -1000"
