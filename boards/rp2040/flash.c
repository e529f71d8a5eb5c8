/* While the flash takes a command nothing can be read from it: what runs then lies in RAM, with all
   interrupts off. Bytes that come in meanwhile are lost beyond the UART's 32; erasing 8 KB takes
   0.1 s, at most 0.8 s (W25Q16JV, 9.6). Not run on silicon yet. */
#include "flash.h"

#include <string.h>

#include "chip.h"

#define READ_UNIQUE_ID 0x4Bu /* four bytes of anything, then eight of the number */
#define ID_AT 5u
#define ID_BYTES 8u
#define ERASE_BLOCK 65536u
#define ERASE_BLOCK_COMMAND 0xD8u
#define BOOT2_WORDS 64u

#define RAM_CODE __attribute__((section(".ram_code"), noinline))

typedef void (*rom_plain_t)(void);
typedef void (*rom_erase_t)(uint32_t at, size_t n, uint32_t block, uint8_t block_command);
typedef void (*rom_program_t)(uint32_t at, const uint8_t *bytes, size_t n);

extern const uint32_t _boot2[]; /* by the linker script */

static struct {
    rom_plain_t connect, exit_xip, flush_cache;
    rom_erase_t erase;
    rom_program_t program;
    uint32_t boot2[BOOT2_WORDS]; /* sets up reading in place again */
} rom;
static bool silicon;

/* The ROM begins at address 0, which the compiler takes for no place at all. */
static uint16_t rom_halfword(uintptr_t at)
{
    __asm volatile("" : "+r"(at));
    return *(const volatile uint16_t *)at;
}

/* 2.8.3.1: two 16-bit pointers in the ROM, to a table and to the function that searches it. */
static uintptr_t rom_function(char first, char second)
{
    typedef uintptr_t (*lookup_t)(uintptr_t table, uint32_t code);
    const lookup_t lookup = (lookup_t)(uintptr_t)rom_halfword(0x18u);

    return lookup(rom_halfword(0x14u), (uint32_t)first | (uint32_t)second << 8);
}

void ein_flash_init(void)
{
    silicon = rom_halfword(0x10u) == ('M' | 'u' << 8) && (rom_halfword(0x12u) & 0xFFu) == 1;
    if (!silicon) {
        return;
    }
    rom.connect = (rom_plain_t)rom_function('I', 'F');
    rom.exit_xip = (rom_plain_t)rom_function('E', 'X');
    rom.erase = (rom_erase_t)rom_function('R', 'E');
    rom.program = (rom_program_t)rom_function('R', 'P');
    rom.flush_cache = (rom_plain_t)rom_function('F', 'C');
    memcpy(rom.boot2, _boot2, sizeof rom.boot2);
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
    ((rom_plain_t)((uintptr_t)rom.boot2 | 1u))();
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

/* The interface is then a plain SPI master whose FIFO holds all of the exchange. */
RAM_CODE static void exchange(uint8_t *bytes, uint32_t n)
{
    begin();
    REG(IO_QSPI, QSPI_SS_CTRL) = (REG(IO_QSPI, QSPI_SS_CTRL) & ~QSPI_SS_HIGH) | QSPI_SS_LOW;
    for (uint32_t i = 0; i < n; i++) {
        REG(SSI, SSI_DR0) = bytes[i];
    }
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t polls = 0; polls < 100000u; polls++) {
            if ((REG(SSI, SSI_SR) & SSI_SR_RX_THERE) != 0) {
                break;
            }
        }
        bytes[i] = (uint8_t)REG(SSI, SSI_DR0);
    }
    REG(IO_QSPI, QSPI_SS_CTRL) = REG(IO_QSPI, QSPI_SS_CTRL) | QSPI_SS_HIGH;
    end();
}

void ein_flash_serial(char text[17])
{
    uint8_t bytes[ID_AT + ID_BYTES] = {READ_UNIQUE_ID};
    text[0] = '\0';
    if (!silicon) {
        return;
    }
    exchange(bytes, sizeof bytes);
    for (unsigned i = 0; i < 2u * ID_BYTES; i++) {
        text[i] = "0123456789abcdef"[bytes[ID_AT + i / 2] >> (i % 2 ? 0 : 4) & 15];
    }
    text[2u * ID_BYTES] = '\0';
}
