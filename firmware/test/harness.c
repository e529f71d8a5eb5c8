#include "harness.h"

#include <stddef.h>
#include <string.h>

#include "ein_port.h"

static uint32_t failures;

static void print(const char *text)
{
    ein_port_write((const uint8_t *)text, strlen(text));
}

static void print_number(uint32_t value)
{
    char digits[11];
    char *at = digits + sizeof(digits) - 1;
    *at = '\0';
    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    print(at);
}

void ein_test_check(bool good, const char *name)
{
    ein_test_equal(good, true, name);
}

void ein_test_equal(uint32_t found, uint32_t expected, const char *name)
{
    ein_port_poll(false);
    print(found == expected ? "PASS " : "FAIL ");
    print(name);
    if (found != expected) {
        failures++;
        print(": ");
        print_number(found);
        print(" instead of ");
        print_number(expected);
    }
    print("\r\n");
}

void ein_test_expect_fault(void)
{
    print("EXPECT fault\r\n");
}

/* Ends the emulator. A chip waits to be read and reset. */
static void __attribute__((noreturn)) end(void)
{
#if defined(EIN_TEST_EXIT_SEMIHOSTING) /* Arm: SYS_EXIT_EXTENDED */
    const uint32_t block[2] = {0x20026, failures != 0};
    __asm volatile("mov r0, #0x20\n mov r1, %0\n bkpt 0xAB\n" ::"r"(block) : "r0", "r1", "memory");
#elif defined(EIN_TEST_EXIT_DEVICE)  /* SiFive's test device: pass, or fail with code 1 */
    *(volatile uint32_t *)0x00100000u = failures == 0 ? 0x5555u : 0x13333u;
#elif defined(EIN_TEST_EXIT_SIMCALL) /* Xtensa's simulator: exit */
    register uint32_t call __asm("a2") = 1;
    register uint32_t code __asm("a3") = failures != 0;
    __asm volatile("simcall" ::"r"(call), "r"(code) : "memory");
#endif
    for (;;) {
        ein_port_poll(true);
    }
}

int main(void)
{
    ein_port_init();
    print("\r\n");
    ein_test_suite();
    print("DONE ");
    print_number(failures);
    print("\r\n");
    end();
}
