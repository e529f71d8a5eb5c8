"""Builder of the local platform: a GCC found on PATH, chosen by the board's `build.prefix`.

EIN_NETWORK in the process's environment, a folder with ein_network.{h,c}, adds a second network to
the firmware (docs/boards.md). EIN_MODEL, a folder that `einthoven export` wrote, replaces the
firmware's model; without it a project's folder `generated` does, if it has one. EIN_WEIGHTS=ram
makes firmware_ram.elf instead of firmware.elf, of the same objects: what the linker script says of
the model and the engine lies in RAM, or with EIN_WEIGHTS=ccm in core-coupled memory
(docs/boards.md).
"""

import os
import subprocess
import sys
import zlib
from pathlib import Path

from SCons.Script import AlwaysBuild, Default, DefaultEnvironment

env = DefaultEnvironment()
board = env.BoardConfig()
prefix = board.get("build.prefix")
bare = board.get("build.ldscript", "") != ""
weights = os.environ.get("EIN_WEIGHTS", "flash")
moves = weights != "flash"
cpu_flags = board.get("build.cpu_flags", "").split()
# The C library is chosen by these; of a core with more instructions there may be none of its own.
link_cpu_flags = board.get("build.link_cpu_flags", " ".join(cpu_flags)).split()

env.Replace(
    AR=prefix + "gcc-ar",
    AS=prefix + "as",
    CC=prefix + "gcc",
    CXX=prefix + "g++",
    OBJCOPY=prefix + "objcopy",
    RANLIB=prefix + "gcc-ranlib",
    PROGNAME=("firmware" if bare else "program") + (f"_{weights}" if moves else ""),
    PROGSUFFIX=".elf" if bare else "",
    SIZETOOL=prefix + "size",
    SIZEPRINTCMD="$SIZETOOL -B -d $SOURCES",
    SIZECHECKCMD="$SIZETOOL -A -d $SOURCES",
    SIZEPROGREGEXP=r"^(?:\.text|\.ARM\.exidx|\.data)\s+(\d+).*",
    SIZEDATAREGEXP=r"^(?:\.stack|\.data|\.bss)\s+(\d+).*",
)
env.Append(
    ASFLAGS=cpu_flags,
    ASPPFLAGS=["-x", "assembler-with-cpp", *cpu_flags],
    CCFLAGS=[*cpu_flags, "-ffunction-sections", "-fdata-sections"],
    LINKFLAGS=[*link_cpu_flags, "-Wl,--gc-sections", "-Wl,-Map,${TARGET.base}.map"],
)
lto = board.get("build.lto", "").split()
if lto:
    # What the linker compiles has its call graph there.
    env.Append(CCFLAGS=lto, LINKFLAGS=["-Os", "-fcallgraph-info=su", *lto])
if bare:
    # Nothing but the board's own start-up; libc's memcpy and memset are all that is used of it.
    env.Append(LINKFLAGS=["-nostartfiles", *board.get("build.link_flags", "").split()])
    env.Replace(LDSCRIPT_PATH=board.get("build.ldscript"))
script = Path(env.subst("$PROJECT_DIR"), board.get("build.ldscript", ""))
MOVED = f".{weights}"
"""What the sections of an object begin with whose code and constants may lie elsewhere."""


def has_place() -> bool:
    """Whether the linker script places them, in a memory that the chip has: of one that only some
    of the script's chips have, the environment says where it is."""
    text = script.read_text() if bare else ""
    at = f"_{weights}_at"
    return f"{MOVED}.rodata" in text and (at not in text or at in env.subst("$BUILD_FLAGS"))


if moves and not has_place():
    sys.exit(
        f'error: weights = "{weights}" is for chips with such a memory whose linker script has a '
        f"place for them, *({MOVED}.rodata …): take it out of the board.toml of {env['PIOENV']}"
    )


def upload(target, source, env) -> int:
    """Flash the board as its board.toml says; an emulator loads the program itself."""
    from einthoven.boards.board import load_board
    from einthoven.errors import EinthovenError
    from einthoven.fleet.flashing import flash_board

    try:
        described = load_board(env["PIOENV"])
        if described.command is None:
            flash_board(described, env.subst("$UPLOAD_PORT") or None)
    except EinthovenError as error:
        print(f"error: {error}")
        return 1
    return 0


firmware = Path(env.PioPlatform().get_dir()).resolve().parents[1]
is_device = "-D EIN_DEVICE" in " ".join(env.get("BUILD_FLAGS", []))
fast = board.get("build.fast", "engine" if is_device else "core engine").split()
usual = firmware / "generated_small" if bare and is_device else env.subst("$PROJECT_DIR/generated")
model = Path(os.environ.get("EIN_MODEL") or usual).resolve()
own = (model / "ein_model.h").is_file() and model != firmware / "generated"
# The network and the gate before it; of a device's small engine only the network differs.
theirs = [n for n in ("ein_model.c", "ein_gate_net.c") if own and (model / n).is_file()]


def compiled(env, node):
    """How a source is compiled: the only middleware, as what one returns is no source to the next.

    The firmware's own model makes room for another. Only the signal path and the engine are
    compiled for speed, the rest runs seldom; a device has less flash to spare than time: there it
    is the engine alone; an environment may name the folders, `board_build.fast`. Monocypher is left
    as its authors leave it, without our warnings.
    """
    path = Path(node.srcnode().get_abspath()).resolve()
    if path.parent == firmware / "generated" and path.name in theirs:
        return None
    if path.name == "monocypher.c":
        return env.Object(node, CCFLAGS=[*env["CCFLAGS"], "-w", "-Os", "-DBLAKE2_NO_UNROLLING"])
    of_model = path.name.startswith(("ein_model", "ein_network"))
    for_speed = not bare or path.parent.name in fast or (of_model and "engine" in fast)
    flags = {} if for_speed else {"CCFLAGS": [*env["CCFLAGS"], "-Os"]}
    if moves and (of_model or path.parent.name == "engine" or path.name == "ein_gate_net.c"):
        return moved(env, env.Object(node, **flags))
    return env.Object(node, **flags) if flags else node


def moved(env, compiled_once):
    """A copy of an object whose sections say where they go, for the linker script to see."""
    copy = str(Path(str(compiled_once[0])).with_suffix(f"{MOVED}.o"))
    action = f"$OBJCOPY --prefix-alloc-sections={MOVED} $SOURCE $TARGET"
    return env.Command(copy, compiled_once, env.VerboseAction(action, "Placing $TARGET"))


env.AddBuildMiddleware(compiled)
if own:
    env.Prepend(CPPPATH=[str(model)])
    env.BuildSources(
        "$BUILD_DIR/model", str(model), " ".join(["-<*>", *(f"+<{n}>" for n in theirs)])
    )
network = os.environ.get("EIN_NETWORK")
if network:
    # Behind the other folders: what else lies in this one must not hide the firmware's own.
    env.Append(BUILD_FLAGS=["-D EIN_NETWORK", f'-I "{network}"'])
    env.BuildSources("$BUILD_DIR/network", network, "-<*> +<ein_network.c>")
if any(name in env.subst("$BUILD_FLAGS") for name in ("EIN_DEVICE", "EIN_BOOT")):
    from einthoven.boards.workspace import plain_folder
    from einthoven.third_party import monocypher

    library = str(plain_folder(monocypher()))
    env.Append(CPPPATH=[library])
    env.BuildSources("$BUILD_DIR/monocypher", library, "-<*> +<monocypher.c>")
program = env.BuildProgram()


def put_crc(target, source, env) -> int:
    """The CRC-32 of the image goes behind it, where the device looks for it (`.image_crc`)."""
    elf = Path(str(target[0]))
    image, crc = elf.with_suffix(".bare"), elf.with_suffix(".crc")
    objcopy = env.subst("$OBJCOPY")
    subprocess.run([objcopy, "-O", "binary", "-R", ".image_crc", elf, image], check=True)
    crc.write_bytes(zlib.crc32(image.read_bytes()).to_bytes(4, "little"))
    return subprocess.run([objcopy, "--update-section", f".image_crc={crc}", elf]).returncode


if bare and "EIN_DEVICE" in env.get("CPPDEFINES", []):
    env.AddPostAction(program, env.VerboseAction(put_crc, "Adding the CRC-32 of $TARGET"))
if bare:
    env.Depends(program, env.File(str(script)))
image = env.Command(
    "$BUILD_DIR/${PROGNAME}.bin",
    program,
    env.VerboseAction("$OBJCOPY -O binary $SOURCE $TARGET", "Building $TARGET"),
)
AlwaysBuild(env.Alias("nobuild", program))
AlwaysBuild(env.Alias("size", program, env.VerboseAction("$SIZEPRINTCMD", "Measuring $SOURCE")))
AlwaysBuild(env.Alias("upload", program, env.VerboseAction(upload, "Flashing $SOURCE")))
Default([program, image] if bare else [program])
