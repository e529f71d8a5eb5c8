#!/bin/sh
# unicorn 2.1.1: with the CPU model set to Cortex-M0 or Cortex-M3 it executes SMUAD, a DSP
# instruction that only the M4 and its like have (ARMv7E-M); on the chips it is a usage fault (M3)
# or a hard fault (M0). Code that was compiled for the wrong core passes every test there.
#
# Seen: "Cortex-M0: 0x17, Cortex-M3: 0x17, Cortex-M4: 0x17".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check unicorn==2.1.1
cat > "$folder/try.py" <<'PYTHON'
from unicorn import UC_ARCH_ARM, UC_MODE_MCLASS, UC_MODE_THUMB, Uc, UcError
from unicorn import arm_const as arm

said = []
for name in ("M0", "M3", "M4"):
    machine = Uc(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS)
    machine.ctl_set_cpu_model(getattr(arm, f"UC_CPU_ARM_CORTEX_{name}"))
    machine.mem_map(0, 0x1000)
    machine.mem_write(0, bytes.fromhex("20fb01f0"))  # smuad r0, r0, r1: 3 * 5 + 2 * 4
    machine.reg_write(arm.UC_ARM_REG_R0, 0x00020003)
    machine.reg_write(arm.UC_ARM_REG_R1, 0x00040005)
    try:
        machine.emu_start(1, 4)
        said.append(f"Cortex-{name}: {machine.reg_read(arm.UC_ARM_REG_R0):#x}")
    except UcError as error:
        said.append(f"Cortex-{name}: {error}")
print(", ".join(said))
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "Cortex-M0: 0x17, Cortex-M3: 0x17, Cortex-M4: 0x17"
