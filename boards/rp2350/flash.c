/* While the flash takes a command nothing can be read from it: what runs then lies in RAM, with all
   interrupts off. Bytes that come in meanwhile are lost beyond the UART's 32; erasing 8 KB takes
   0.1 s, at most 0.8 s (W25Q32RV, 9.6). Not run on silicon yet. */
#include "flash.h"

#include <string.h>

#include "chip.h"

#define ERASE_BLOCK 65536u
#define ERASE_BLOCK_COMMAND 0xD8u

/* 5.4.8.17: get_sys_info() */
#define SYS_INFO_CHIP 1u
#define SYS_INFO_WORDS 4 /* what there is, package, the 64-bit number from its low half on */

/* 5.4.1: where the ROM has a 16-bit pointer to what searches its table, and for whom it searches.
 */
#ifdef __riscv
#define ROM_LOOKUP 0x7DFAu /* ..._entry(): what is found is a jump, and entered */
#define ROM_FOR 1u
#else
#define ROM_LOOKUP 0x16u /* ..._val() */
#define ROM_FOR 4u       /* Arm, Secure */
#endif
#define ROM_MAGIC 0x0002754Du
#define ROM_MAGIC_MASK 0x00FFFFFFu

#define RAM_CODE __attribute__((section(".ram_code"), noinline))

typedef void (*rom_plain_t)(void);
typedef void (*rom_erase_t)(uint32_t at, size_t n, uint32_t block, uint8_t block_command);
typedef void (*rom_program_t)(uint32_t at, const uint8_t *bytes, size_t n);
typedef int (*rom_info_t)(uint32_t *words, uint32_t n, uint32_t what);

static struct {
    rom_plain_t connect, exit_xip, flush_cache, enter_xip;
    rom_erase_t erase;
    rom_program_t program;
    rom_info_t info;
    uint32_t window[QMI_M0_WORDS]; /* as the ROM found the flash to read fastest */
} rom;
static bool silicon;

/* The ROM begins at address 0, which the compiler takes for no place at all. */
static uint32_t rom_word(uintptr_t at)
{
    __asm volatile("" : "+r"(at));
    return *(const volatile uint32_t *)at;
}

static uint32_t rom_halfword(uintptr_t at)
{
    __asm volatile("" : "+r"(at));
    return *(const volatile uint16_t *)at;
}

static uintptr_t rom_function(char first, char second)
{
    typedef uintptr_t (*lookup_t)(uint32_t code, uint32_t mask);
    const lookup_t lookup = (lookup_t)(uintptr_t)rom_halfword(ROM_LOOKUP);

    return lookup((uint32_t)first | (uint32_t)second << 8, ROM_FOR);
}

void ein_flash_init(void)
{
    silicon = (rom_word(0x10u) & ROM_MAGIC_MASK) == ROM_MAGIC;
    if (!silicon) {
        return;
    }
    rom.connect = (rom_plain_t)rom_function('I', 'F');
    rom.exit_xip = (rom_plain_t)rom_function('E', 'X');
    rom.erase = (rom_erase_t)rom_function('R', 'E');
    rom.program = (rom_program_t)rom_function('R', 'P');
    rom.flush_cache = (rom_plain_t)rom_function('F', 'C');
    rom.enter_xip = (rom_plain_t)rom_function('C', 'X');
    rom.info = (rom_info_t)rom_function('G', 'S');
    for (uint32_t i = 0; i < QMI_M0_WORDS; i++) {
        rom.window[i] = REG(QMI, QMI_M0(i));
    }
}

bool ein_flash_is_silicon(void)
{
    return silicon;
}

RAM_CODE static void begin(void)
{
    irq_disable();
    rom.connect();
    rom.exit_xip();
}

RAM_CODE static void end(void)
{
    rom.flush_cache();
    /* That is by one line and the clock divided by 12 (5.4.8): a tenth of what the ROM left. */
    rom.enter_xip();
    for (uint32_t i = 0; i < QMI_M0_WORDS; i++) {
        REG(QMI, QMI_M0(i)) = rom.window[i];
    }
    irq_enable();
}

RAM_CODE void ein_flash_erase(uint32_t at, uint32_t n)
{
    begin();
    rom.erase(at, n, ERASE_BLOCK, ERASE_BLOCK_COMMAND);
    end();
}

RAM_CODE void ein_flash_program(uint32_t at, const uint8_t *page)
{
    begin();
    rom.program(at, page, EIN_FLASH_PAGE_BYTES);
    end();
}

void ein_flash_serial(char text[17])
{
    uint32_t words[SYS_INFO_WORDS] = {0};
    text[0] = '\0';
    if (!silicon || rom.info(words, SYS_INFO_WORDS, SYS_INFO_CHIP) != SYS_INFO_WORDS) {
        return;
    }
    for (unsigned i = 0; i < 16u; i++) {
        text[i] = "0123456789abcdef"[words[i < 8u ? 3 : 2] >> (28u - 4u * (i % 8u)) & 15u];
    }
    text[16] = '\0';
}
