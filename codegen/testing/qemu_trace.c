/* Plugin of QEMU (its plugin API, version 1): what instructions were executed, and where their
 * first access to memory was. Writes two words for each instruction, little-endian: its address,
 * and the access's or 0.
 *
 * Options: out=FILE; counter=ADDRESS and reads=N, to stop behind the Nth access to ADDRESS.
 *
 * QEMU's packages bring no header for it: what is used of docs/devel/tcg-plugins.rst is declared
 * here. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t plugin_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { NO_REGISTERS = 0, READS_AND_WRITES = 3 };
typedef void (*on_block_t)(plugin_t, struct qemu_plugin_tb *);
typedef void (*on_end_t)(plugin_t, void *);
typedef void (*on_instruction_t)(unsigned, void *);
typedef void (*on_access_t)(unsigned, uint32_t, uint64_t, void *);

int qemu_plugin_install(plugin_t plugin, const void *info, int count, char **options);
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_t, on_block_t);
void qemu_plugin_register_atexit_cb(plugin_t, on_end_t, void *);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, on_instruction_t, int,
                                            void *);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *, on_access_t, int, int, void *);

extern int qemu_plugin_version;
int qemu_plugin_version = 1;

static FILE *out;
static uint32_t counter, reads = UINT32_MAX;
static struct {
    uint32_t address, data;
} step;

static void write_step(void)
{
    if (step.address == 0 || reads == 0)
        return;
    fwrite(&step, sizeof step, 1, out);
    if (step.data == counter)
        reads--;
}

static void on_instruction(unsigned core, void *address)
{
    (void)core;
    write_step();
    step.address = (uint32_t)(uintptr_t)address;
    step.data = 0;
}

static void on_access(unsigned core, uint32_t what, uint64_t address, void *unused)
{
    (void)core, (void)what, (void)unused;
    if (step.data == 0)
        step.data = (uint32_t)address;
}

static void on_block(plugin_t plugin, struct qemu_plugin_tb *block)
{
    (void)plugin;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
        struct qemu_plugin_insn *one = qemu_plugin_tb_get_insn(block, i);

        qemu_plugin_register_vcpu_insn_exec_cb(one, on_instruction, NO_REGISTERS,
                                               (void *)(uintptr_t)qemu_plugin_insn_vaddr(one));
        qemu_plugin_register_vcpu_mem_cb(one, on_access, NO_REGISTERS, READS_AND_WRITES, NULL);
    }
}

static void on_end(plugin_t plugin, void *unused)
{
    (void)plugin, (void)unused;
    write_step();
    fclose(out);
}

int qemu_plugin_install(plugin_t plugin, const void *info, int count, char **options)
{
    (void)info;
    for (int i = 0; i < count; i++) {
        if (strncmp(options[i], "out=", 4) == 0)
            out = fopen(options[i] + 4, "wb");
        else if (strncmp(options[i], "counter=", 8) == 0)
            counter = (uint32_t)strtoul(options[i] + 8, NULL, 0);
        else if (strncmp(options[i], "reads=", 6) == 0)
            reads = (uint32_t)strtoul(options[i] + 6, NULL, 0);
        else
            return -1;
    }
    if (out == NULL)
        return -1;
    qemu_plugin_register_vcpu_tb_trans_cb(plugin, on_block);
    qemu_plugin_register_atexit_cb(plugin, on_end, NULL);
    return 0;
}
