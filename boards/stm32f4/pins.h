/* Pins of the STM32F4 as one number each, which board.h names: 0x18 is PB8. RM0090, chapter 8. */
#ifndef EIN_PINS_H
#define EIN_PINS_H

#include <stdbool.h>
#include <stdint.h>

#include "stm32f4.h"

#define PA(n) (0x00u + (n))
#define PB(n) (0x10u + (n))
#define PC(n) (0x20u + (n))

enum { PIN_INPUT = 0, PIN_OUTPUT = 1, PIN_FUNCTION = 2, PIN_ANALOGUE = 3 };
enum { PULL_NONE = 0, PULL_UP = 1, PULL_DOWN = 2 };

static inline gpio_t *pin_port(uint32_t pin)
{
    return GPIO(pin >> 4);
}

/* function: alternate function, where mode is PIN_FUNCTION. Gives the port its clock. */
static inline void pin_mode(uint32_t pin, uint32_t mode, uint32_t function)
{
    gpio_t *port = pin_port(pin);
    const uint32_t n = pin & 15u;
    rcc_enable(&RCC->AHB1ENR, 1u << (pin >> 4));
    reg_t *afr = &port->AFR[n / 8];
    *afr = (*afr & ~(15u << (4 * (n % 8)))) | function << (4 * (n % 8));
    port->MODER = (port->MODER & ~(3u << (2 * n))) | mode << (2 * n);
}

static inline void pin_pull(uint32_t pin, uint32_t pull)
{
    const uint32_t at = 2u * (pin & 15u);
    pin_port(pin)->PUPDR = (pin_port(pin)->PUPDR & ~(3u << at)) | pull << at;
}

/* Of an output, whose port has its clock. */
static inline void pin_set(uint32_t pin, bool high)
{
    pin_port(pin)->BSRR = 1u << ((pin & 15u) + (high ? 0u : 16u));
}

/* Drives it, and never to the other level on the way. What is written to a port without its clock
   is lost. */
static inline void pin_output(uint32_t pin, bool high)
{
    rcc_enable(&RCC->AHB1ENR, 1u << (pin >> 4));
    pin_set(pin, high);
    pin_mode(pin, PIN_OUTPUT, 0u);
}

static inline bool pin_get(uint32_t pin)
{
    return (pin_port(pin)->IDR >> (pin & 15u) & 1u) != 0;
}

#endif
