/* firmware/front_ends/ein_bus.h for the STM32F4 boards: SPI2 on PB13, PB14 and PB15, the data-ready
 * line as an external interrupt, the ADC by timer and DMA (adc.c). RM0090: 28.3.3 SPI as master,
 * 12.2 EXTI, 9.2.3 SYSCFG_EXTICR.
 *
 * The data-ready interrupt has a lower priority than the serial port's: its handler takes up to
 * 0.3 ms, and a byte comes every 87 us. Not run on silicon yet: QEMU has no GPIO and no DMA, and
 * nothing hangs on its SPI, so there each function asks the models beside the chip (beside.h).
 * What it writes to the registers is held to a model of them by
 * einthoven/front_ends/tests/test_stm32f4_bus.py and hil_tests/test_stm32f4_device.py.
 */
#include "ein_bus.h"

#include "adc.h"
#include "beside.h"
#include "board.h"
#include "count.h"
#include "pins.h"
#include "timer.h"

#define SCK PB(13u)
#define MISO PB(14u)
#define MOSI PB(15u)
#define SPI_FUNCTION 5u
#define SPI_MAX_HZ 1000000u
/* ADS1292R: CS stays low for 4 of its clocks, 7.8 us, behind the last edge (SBAS502C 6.6, tSCCS).
 */
#define CS_HOLD_US 9u
/* Some ten cycles each: 1 ms at 168 MHz; a byte takes 8 to 16 us. */
#define WAIT_POLLS 16000u
#define EDGE_PRIORITY 0x80u

#define READY_LINE (EIN_BOARD_PIN_READY & 15u)
typedef char ein_check_line[READY_LINE >= 5u && READY_LINE <= 9u ? 1 : -1]; /* of EXTI9_5 */

void EXTI9_5_IRQHandler(void);

static ein_bus_on_edge_t on_edge;
static void *edge_context;

void EXTI9_5_IRQHandler(void)
{
    EXTI->PR = 1u << READY_LINE;
    if (on_edge != 0) {
        on_edge(edge_context, ein_bus_us());
    }
}

/* BR of SPI_CR1: the fastest that is slow enough. */
static uint32_t divider(void)
{
    const bool by_pll = (RCC->CFGR & RCC_CFGR_SWS_MASK) == RCC_CFGR_SWS_PLL;
    const uint32_t bus_hz = by_pll ? EIN_BOARD_CORE_HZ / EIN_BOARD_APB1_DIVIDER : 16000000u;
    uint32_t br = 0;
    while (br < 7u && bus_hz >> (br + 1u) > SPI_MAX_HZ) {
        br++;
    }
    return br;
}

static bool wait_for(uint32_t mask, uint32_t value)
{
    for (uint32_t i = 0; i < WAIT_POLLS; i++) {
        if ((SPI2->SR & mask) == value) {
            return true;
        }
    }
    return false;
}

static bool exchange(const uint8_t *out, uint8_t *in, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!wait_for(SPI_SR_TXE, SPI_SR_TXE)) {
            return false;
        }
        SPI2->DR = out[i];
        if (!wait_for(SPI_SR_RXNE, SPI_SR_RXNE)) {
            return false;
        }
        in[i] = (uint8_t)SPI2->DR;
    }
    return wait_for(SPI_SR_BSY, 0);
}

bool ein_bus_spi(uint8_t mode, const uint8_t *out, uint8_t *in, size_t n)
{
    if (!ein_count_is_silicon()) {
        return ein_beside_ask(EIN_BESIDE_SPI, mode, out, (uint8_t)n, in);
    }
    const bool listens =
        nvic_is_enabled(IRQ_EXTI9_5); /* its handler's transfers are not this one's */
    nvic_disable(IRQ_EXTI9_5);
    rcc_enable(&RCC->APB1ENR, RCC_APB1ENR_SPI2);
    pin_mode(SCK, PIN_FUNCTION, SPI_FUNCTION);
    pin_mode(MISO, PIN_FUNCTION, SPI_FUNCTION);
    pin_mode(MOSI, PIN_FUNCTION, SPI_FUNCTION);
    pin_output(EIN_BOARD_PIN_CS, true);
    SPI2->CR1 = 0;
    SPI2->CR1 = SPI_CR1_MSTR | SPI_CR1_SSM | SPI_CR1_SSI | divider() << SPI_CR1_BR_SHIFT |
                (mode == 1u ? SPI_CR1_CPHA : 0u);
    SPI2->CR1 |= SPI_CR1_SPE;
    (void)SPI2->DR; /* what an earlier one may have left */
    pin_set(EIN_BOARD_PIN_CS, false);
    const bool good = exchange(out, in, n);
    ein_bus_wait_us(CS_HOLD_US);
    pin_set(EIN_BOARD_PIN_CS, true);
    SPI2->CR1 = 0;
    if (listens) {
        nvic_enable(IRQ_EXTI9_5);
    }
    return good;
}

static uint32_t number_of(ein_bus_pin_t pin)
{
    static const uint8_t numbers[EIN_BUS_PINS] = {
        [EIN_BUS_RESET] = EIN_BOARD_PIN_FRONT_END_RESET,
        [EIN_BUS_LEAD_P] = EIN_BOARD_PIN_LEAD_P,
        [EIN_BUS_LEAD_N] = EIN_BOARD_PIN_LEAD_N,
    };
    return numbers[pin];
}

void ein_bus_set(ein_bus_pin_t pin, bool high)
{
    if (!ein_count_is_silicon()) {
        uint8_t level = high ? 1u : 0u;
        ein_beside_ask(EIN_BESIDE_SET, (uint8_t)pin, &level, 1, &level);
        return;
    }
    pin_output(number_of(pin), high);
}

bool ein_bus_get(ein_bus_pin_t pin)
{
    if (!ein_count_is_silicon()) {
        return ein_beside_lead(pin);
    }
    return pin_get(number_of(pin));
}

uint32_t ein_bus_us(void)
{
    return ein_timer_us();
}

void ein_bus_wait_us(uint32_t us)
{
    if (!ein_count_is_silicon()) {
        ein_timer_skip_us(us);
        return;
    }
    const uint32_t since_us = ein_timer_us();
    while (ein_timer_us() - since_us <= us) { /* TIM5 runs as long as the chip does */
    }
}

void ein_bus_listen(ein_bus_on_edge_t handler, void *context)
{
    edge_context = context;
    on_edge = handler;
    NVIC_IPR[IRQ_EXTI9_5] = EDGE_PRIORITY;
    if (!ein_count_is_silicon()) {
        uint8_t none = 0;
        ein_beside_ask(EIN_BESIDE_LISTEN, 0, &none, 0, &none);
    } else {
        rcc_enable(&RCC->APB2ENR, RCC_APB2ENR_SYSCFG);
        pin_mode(EIN_BOARD_PIN_READY, PIN_INPUT, 0u);
        pin_pull(EIN_BOARD_PIN_READY, PULL_UP); /* INTB of a MAX30003 is open drain */
        const uint32_t at = 4u * (READY_LINE % 4u);
        reg_t *choice = &SYSCFG->EXTICR[READY_LINE / 4u];
        *choice = (*choice & ~(15u << at)) | (uint32_t)EIN_BOARD_PIN_READY >> 4 << at;
        EXTI->RTSR &= ~(1u << READY_LINE);
        EXTI->FTSR |= 1u << READY_LINE;
        EXTI->PR = 1u << READY_LINE;
        EXTI->IMR |= 1u << READY_LINE;
    }
    nvic_enable(IRQ_EXTI9_5);
}

bool ein_bus_adc(uint16_t rate_hz, ein_bus_on_adc_t on_adc, void *context)
{
    if (!ein_count_is_silicon()) {
        uint8_t none = 0;
        ein_beside_adc(on_adc, context);
        return ein_beside_ask(EIN_BESIDE_ADC, 0, &none, 0, &none);
    }
    pin_mode(EIN_BOARD_PIN_LEAD_P, PIN_INPUT, 0u);
    pin_mode(EIN_BOARD_PIN_LEAD_N, PIN_INPUT, 0u);
    return ein_adc_start(rate_hz, on_adc, context);
}

void ein_bus_serve(void)
{
    if (ein_count_is_silicon()) {
        ein_adc_serve();
    } else {
        ein_beside_serve();
    }
}

void ein_bus_stop(void)
{
    nvic_disable(IRQ_EXTI9_5);
    on_edge = 0;
    if (ein_count_is_silicon()) {
        EXTI->IMR &= ~(1u << READY_LINE);
        ein_adc_stop();
    } else {
        ein_beside_stop();
    }
}

void ein_bus_hold(void)
{
    nvic_disable(IRQ_EXTI9_5);
}

void ein_bus_release(void)
{
    if (on_edge != 0) {
        nvic_enable(IRQ_EXTI9_5);
    }
}
