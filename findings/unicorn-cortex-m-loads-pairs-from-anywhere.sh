#!/bin/sh
# unicorn 2.1.1: LDM reads two words from an odd address on every Cortex-M, and LDR one on a Cortex-M0.
# On the chips the first is a usage fault whatever UNALIGN_TRP says (M3, M4; a hard fault where it is
# not enabled), and the M0 has no unaligned access at all. A parser that casts a received byte's
# address to a struct's runs there, and stops the board at the first message that lies oddly: GCC
# makes LDM or LDRD of two neighbouring words.
#
# Seen: "LDM from 0x1001: M0 0x4030201 0x8070605, M3 0x4030201 0x8070605, M4 0x4030201 0x8070605;
# LDR from 0x1001: M0 0x4030201".
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check unicorn==2.1.1
cat > "$folder/try.py" <<'PYTHON'
from unicorn import UC_ARCH_ARM, UC_MODE_MCLASS, UC_MODE_THUMB, Uc, UcError
from unicorn import arm_const as arm


def run(core, instruction, registers):
    machine = Uc(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS)
    machine.ctl_set_cpu_model(getattr(arm, f"UC_CPU_ARM_CORTEX_{core}"))
    machine.mem_map(0, 0x2000)
    machine.mem_write(0, bytes.fromhex(instruction))
    machine.mem_write(0x1000, bytes(range(16)))
    machine.reg_write(arm.UC_ARM_REG_R3, 0x1001)
    try:
        machine.emu_start(1, 2)
        return f"{core} {' '.join(hex(machine.reg_read(r)) for r in registers)}"
    except UcError as error:
        return f"{core}: {error}"


R0, R1 = arm.UC_ARM_REG_R0, arm.UC_ARM_REG_R1
pairs = [run(core, "03cb", (R0, R1)) for core in ("M0", "M3", "M4")]  # ldm r3!, {r0, r1}
print(f"LDM from 0x1001: {', '.join(pairs)}; LDR from 0x1001: {run('M0', '1868', (R0,))}")
PYTHON
cd "$folder"
seen=$("$folder/venv/bin/python" try.py 2>/dev/null | tail -n 1)
echo "$seen"
test "$seen" = "LDM from 0x1001: M0 0x4030201 0x8070605, M3 0x4030201 0x8070605, M4 0x4030201 0x8070605; LDR from 0x1001: M0 0x4030201"
