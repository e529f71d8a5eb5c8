/* The boot stage of an STM32F4 device, in its first sector: chooses a slot (ein_boot.h), starts the
 * watchdog, so that an image which hangs before it feeds it is given up, and jumps. It runs on the
 * 16 MHz of the reset, with interrupts off, and leaves no register changed but the watchdog's and
 * the counter's. Without anything to start it sleeps: a cable has to bring something.
 *
 * Run on a model of the chip's registers (hil_tests/test_stm32f4_device.py), not on silicon yet. In
 * QEMU it runs as far as flash that cannot be written lets it: what it marks stays unmarked.
 */
#include "board.h"
#include "count.h"
#include "ein_boot.h"
#include "ein_slots.h"
#include "memory.h"
#include "stm32f4.h"

/* 32,768 periods of 1/32 kHz times 256 / 8: 26 s; 17 to 47 kHz: 22 s to 62 s. */
#define WATCHDOG_PRESCALER 6u
#define WATCHDOG_RELOAD 4095u

void Reset_Handler(void);
void Fault_Handler(void);

/* `einthoven sign-image` writes the operator's public key behind the words. */
__attribute__((used)) static const volatile struct {
    char words[16];
    uint8_t key[32];
} operator_key = {"EINTHOVEN BOOT 1", {0}};

typedef void (*vector_t)(void);

__attribute__((section(".vectors"), used)) static const vector_t vectors[16] = {
    (vector_t)_stack_top,
    Reset_Handler,
    [2 ... 15] = Fault_Handler,
};

void Fault_Handler(void)
{
    SCB->AIRCR = SCB_AIRCR_RESET;
    for (;;) {
    }
}

__attribute__((noreturn)) static void jump(uint32_t table)
{
    const uint32_t *to = (const uint32_t *)(uintptr_t)table;
    SCB->VTOR = table;
    __asm volatile("msr msp, %0\n bx %1" : : "r"(to[0]), "r"(to[1]) : "memory");
    __builtin_unreachable();
}

__attribute__((noreturn)) void Reset_Handler(void)
{
    ein_memory_init();
    ein_count_init();
    uint8_t key[32];
    for (unsigned i = 0; i < sizeof(key); i++) {
        key[i] = operator_key.key[i];
    }
    const unsigned slot = ein_boot_choose(key, EIN_BOARD_NAME);
    if (slot < EIN_SLOTS) {
        stm32_watchdog_start(WATCHDOG_PRESCALER, WATCHDOG_RELOAD);
        jump(ein_slots_port_address(slot) + EIN_IMAGE_HEADER_BYTES);
    }
    for (;;) {
        __asm volatile("wfi");
    }
}
