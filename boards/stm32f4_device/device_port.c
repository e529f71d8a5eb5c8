/* firmware/device/ein_device_port.h for the STM32F4 boards.
 *
 * Button from PB0 to 3.3 V, LED on PB1, piezo on PB4 (TIM3 channel 1), battery by a divider of two
 * on PA4 (ADC1 channel 4, an injected conversion beside the front end's regular ones), display on
 * I2C1, PB6 and PB7. TIM5 is the clock: it runs while the core sleeps, which its cycle counter does
 * not. RM0090: 8.4 GPIO, 13.3.9 injected channels, 18.3 timers, 27.3.3 I2C as master.
 *
 * Not run on silicon yet. QEMU's machine has the timers, but no GPIO, I2C or injected conversion:
 * there the button is open, the LED dark, the battery unknown, and no display answers.
 */
#include "ein_device_port.h"

#include "board.h"
#include "count.h"
#include "stm32f4.h"

#define HSI_HZ 16000000u
#define QEMU_TIMER_HZ 1000000000u
#define TICK_HZ 20000u
#define TICKS_PER_MS (TICK_HZ / 1000u)
#define TONE_CLOCK_HZ 1000000u

#define BUTTON 0u
#define LED 1u
#define PIEZO 4u
#define SCL 6u
#define SDA 7u
#define BATTERY_CHANNEL 4u
#define ADC_REFERENCE_MV 3300u
#define ADC_STEPS 4096u
/* Some ten cycles each: 1 ms at 168 MHz; a byte at 100 kHz takes 90 us. */
#define WAIT_POLLS 16000u

static uint32_t ticks_seen, ticks_left, ms;

/* Of TIM2 to TIM5: twice APB1's where that is divided. */
static uint32_t timer_hz(void)
{
    if (!ein_count_is_silicon()) {
        return QEMU_TIMER_HZ;
    }
    if ((RCC->CFGR & RCC_CFGR_SWS_MASK) != RCC_CFGR_SWS_PLL) {
        return HSI_HZ;
    }
    return EIN_BOARD_APB1_DIVIDER == 1u ? EIN_BOARD_CORE_HZ
                                        : 2u * EIN_BOARD_CORE_HZ / EIN_BOARD_APB1_DIVIDER;
}

static void start_timer(tim_t *timer, uint32_t hz)
{
    timer->PSC = timer_hz() / hz - 1u;
    timer->ARR = UINT32_MAX;
    timer->EGR = TIM_EGR_UG; /* takes over the prescaler */
    timer->CR1 = TIM_CR1_CEN;
}

static void pin_mode(uint32_t pin, uint32_t mode, uint32_t function)
{
    GPIOB->MODER = (GPIOB->MODER & ~(3u << (2 * pin))) | mode << (2 * pin);
    reg_t *afr = &GPIOB->AFR[pin / 8];
    *afr = (*afr & ~(15u << (4 * (pin % 8)))) | function << (4 * (pin % 8));
}

void ein_device_port_init(void)
{
    RCC->AHB1ENR |= RCC_AHB1ENR_GPIOA | RCC_AHB1ENR_GPIOB;
    RCC->APB1ENR |= RCC_APB1ENR_TIM3 | RCC_APB1ENR_TIM5 | RCC_APB1ENR_I2C1;
    RCC->APB2ENR |= RCC_APB2ENR_ADC1;

    GPIOB->PUPDR = (GPIOB->PUPDR & ~(3u << (2 * BUTTON))) | 2u << (2 * BUTTON); /* down */
    pin_mode(LED, 1u, 0u);
    pin_mode(PIEZO, 2u, 2u);
    GPIOB->OTYPER |= 1u << SCL | 1u << SDA; /* open drain; the module has pull-ups */
    pin_mode(SCL, 2u, 4u);
    pin_mode(SDA, 2u, 4u);
    GPIOA->MODER |= 3u << (2 * BATTERY_CHANNEL); /* analogue; channel n is pin PAn */

    start_timer(TIM5, TICK_HZ);
    TIM3->CCMR1 = TIM_CCMR1_OC1_PWM1;
    start_timer(TIM3, TONE_CLOCK_HZ);

    const uint32_t apb1_mhz = timer_hz() / (EIN_BOARD_APB1_DIVIDER == 1u ? 1u : 2u) / 1000000u;
    I2C1->CR2 = apb1_mhz > 50u ? 50u : apb1_mhz;
    I2C1->CCR = apb1_mhz * 5u; /* 100 kHz: high and low 5 us each */
    I2C1->TRISE = apb1_mhz + 1u;
    I2C1->CR1 = I2C_CR1_PE;
}

uint32_t ein_device_port_ms(void)
{
    const uint32_t ticks = TIM5->CNT;
    ticks_left += ticks - ticks_seen;
    ticks_seen = ticks;
    ms += ticks_left / TICKS_PER_MS;
    ticks_left %= TICKS_PER_MS;
    return ms;
}

bool ein_device_port_button(void)
{
    return (GPIOB->IDR >> BUTTON & 1u) != 0;
}

void ein_device_port_show(bool led, uint16_t tone_hz)
{
    GPIOB->BSRR = led ? 1u << LED : 1u << (LED + 16u);
    if (tone_hz == 0) {
        TIM3->CCER = 0;
        return;
    }
    TIM3->ARR = TONE_CLOCK_HZ / tone_hz - 1u;
    TIM3->CCR[0] = TONE_CLOCK_HZ / tone_hz / 2u;
    TIM3->EGR = TIM_EGR_UG;
    TIM3->CCER = TIM_CCER_CC1E;
}

uint16_t ein_device_port_battery_mv(void)
{
    ADC1->SMPR2 |= 7u << (3 * BATTERY_CHANNEL);
    ADC1->JSQR = BATTERY_CHANNEL << 15;
    ADC1->CR2 |= ADC_CR2_ADON;
    ADC1->SR = ~ADC_SR_JEOC;
    ADC1->CR2 |= ADC_CR2_JSWSTART;
    for (uint32_t i = 0; i < WAIT_POLLS; i++) {
        if ((ADC1->SR & ADC_SR_JEOC) != 0) {
            return (uint16_t)(2u * ADC_REFERENCE_MV * ADC1->JDR[0] / ADC_STEPS);
        }
    }
    return 0;
}

extern const uint8_t _image_start[], _image_end[];

/* Its value is put in when the image has been linked (firmware/platforms/bare/builder/main.py). */
__attribute__((section(".image_crc"), used)) static const uint32_t image_crc = 0;

const uint8_t *ein_device_port_image(uint32_t *bytes, uint32_t *crc)
{
    *bytes = (uint32_t)(_image_end - _image_start);
    *crc = *(const volatile uint32_t *)&image_crc; /* not what the compiler believes it to be */
    return _image_start;
}

static bool i2c_wait(uint32_t flag)
{
    for (uint32_t i = 0; i < WAIT_POLLS; i++) {
        const uint32_t state = I2C1->SR1;
        if ((state & I2C_SR1_AF) != 0) {
            break;
        }
        if ((state & flag) != 0) {
            return true;
        }
    }
    I2C1->SR1 = 0;
    I2C1->CR1 = I2C_CR1_PE | I2C_CR1_STOP;
    return false;
}

bool ein_device_port_i2c(uint8_t address, const uint8_t *bytes, size_t n)
{
    I2C1->CR1 = I2C_CR1_PE | I2C_CR1_START;
    if (!i2c_wait(I2C_SR1_SB)) {
        return false;
    }
    I2C1->DR = (uint32_t)address << 1;
    if (!i2c_wait(I2C_SR1_ADDR)) {
        return false;
    }
    (void)I2C1->SR2; /* read after SR1: clears ADDR */
    for (size_t i = 0; i < n; i++) {
        if (!i2c_wait(I2C_SR1_TXE)) {
            return false;
        }
        I2C1->DR = bytes[i];
    }
    const bool sent = i2c_wait(I2C_SR1_BTF);
    I2C1->CR1 = I2C_CR1_PE | I2C_CR1_STOP;
    return sent;
}
