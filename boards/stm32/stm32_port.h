/* What the ports of the STM32F1 and STM32F4 do alike when they start. */
#ifndef EIN_STM32_PORT_H
#define EIN_STM32_PORT_H

#include "ein_port.h"
#include "kept.h"
#include "stm32.h"

#define STM32_SERIAL_CHARS 25u /* 24 hexadecimal digits and the end */

/* Why the program began, as the last one or `csr`, which is RCC's, says. To be asked once: it
   clears both. */
static inline ein_reset_reason_t stm32_reset_reason(volatile uint32_t *csr)
{
    const uint32_t flags = *csr;
    *csr |= RCC_CSR_RMVF;
    if (_kept.magic == EIN_KEPT_MAGIC) {
        _kept.magic = 0;
        return (ein_reset_reason_t)_kept.reason;
    }
    if ((flags & (RCC_CSR_IWDGRSTF | RCC_CSR_WWDGRSTF)) != 0) {
        return EIN_RESET_WATCHDOG;
    }
    if ((flags & RCC_CSR_SFTRSTF) != 0) {
        return EIN_RESET_SOFTWARE;
    }
    if ((flags & (RCC_CSR_PORRSTF | RCC_CSR_BORRSTF)) != 0) {
        return EIN_RESET_POWER;
    }
    return (flags & RCC_CSR_PINRSTF) != 0 ? EIN_RESET_PIN : EIN_RESET_UNKNOWN;
}

/* text: STM32_SERIAL_CHARS, zeroed. identity: three words. */
static inline void stm32_serial_number(char *text, const volatile uint32_t *identity)
{
    for (unsigned i = 0; i + 1 < STM32_SERIAL_CHARS; i++) {
        text[i] = "0123456789abcdef"[identity[i / 8] >> (28 - 4 * (i % 8)) & 15u];
    }
}

#endif
