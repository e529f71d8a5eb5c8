/* Registers of the STM32F4 that Einthoven uses, and no others.

   Sources: ST RM0090 (F405), RM0383 (F411), RM0390 (F446): the addresses and bits below are the
   same in all three. Arm DDI 0403 (ARMv7-M) for the system control space. Field names as in the
   manuals. */
#ifndef STM32F4_H
#define STM32F4_H

#include <stdbool.h>
#include <stdint.h>

#include "stm32.h"

typedef volatile uint32_t reg_t;

typedef struct {
    reg_t CR, PLLCFGR, CFGR, CIR, AHB1RSTR, AHB2RSTR, AHB3RSTR, reserved0, APB1RSTR, APB2RSTR,
        reserved1[2], AHB1ENR, AHB2ENR, AHB3ENR, reserved2, APB1ENR, APB2ENR, reserved3[10], BDCR,
        CSR;
} rcc_t;

typedef struct {
    reg_t MODER, OTYPER, OSPEEDR, PUPDR, IDR, ODR, BSRR, LCKR, AFR[2];
} gpio_t;

typedef struct {
    reg_t CR1, CR2, SMCR, DIER, SR, EGR, CCMR1, CCMR2, CCER, CNT, PSC, ARR, RCR, CCR[4];
} tim_t;

typedef struct {
    reg_t SR, CR1, CR2, SMPR1, SMPR2, JOFR[4], HTR, LTR, SQR1, SQR2, SQR3, JSQR, JDR[4], DR;
} adc_t;

typedef struct {
    reg_t CR1, CR2, OAR1, OAR2, DR, SR1, SR2, CCR, TRISE;
} i2c_t;

typedef struct {
    reg_t CR1, CR2, SR, DR, CRCPR, RXCRCR, TXCRCR, I2SCFGR, I2SPR;
} spi_t;

typedef struct {
    reg_t IMR, EMR, RTSR, FTSR, SWIER, PR;
} exti_t;

typedef struct {
    reg_t MEMRMP, PMC, EXTICR[4];
} syscfg_t;

typedef struct {
    reg_t CR, NDTR, PAR, M0AR, M1AR, FCR;
} dma_stream_t;

typedef struct {
    reg_t LISR, HISR, LIFCR, HIFCR;
    dma_stream_t stream[8];
} dma_t;

typedef struct {
    reg_t CTRL, LOAD, VAL, CALIB;
} systick_t;

typedef struct {
    reg_t CPUID, ICSR, VTOR, AIRCR, SCR, CCR, SHPR[3], SHCSR, CFSR, HFSR, DFSR, MMFAR, BFAR;
} scb_t;

typedef struct {
    reg_t CR, SR, DR;
} rng_t;

#define TIM2 ((tim_t *)0x40000000u)
#define TIM3 ((tim_t *)0x40000400u)
#define TIM5 ((tim_t *)0x40000C00u)
#define SPI2 ((spi_t *)0x40003800u)
#define USART2 ((usart_t *)0x40004400u)
#define USART3 ((usart_t *)0x40004800u) /* not in the F411 */
#define I2C1 ((i2c_t *)0x40005400u)
#define PWR_CR (*(reg_t *)0x40007000u)
#define USART1 ((usart_t *)0x40011000u)
#define ADC1 ((adc_t *)0x40012000u)
#define ADC_CCR (*(reg_t *)0x40012304u)
#define SYSCFG ((syscfg_t *)0x40013800u)
#define EXTI ((exti_t *)0x40013C00u)
#define GPIO(port) ((gpio_t *)(0x40020000u + 0x400u * (port))) /* 0: GPIOA */
#define GPIOA GPIO(0u)
#define RCC ((rcc_t *)0x40023800u)
#define FLASH_ACR (*(reg_t *)0x40023C00u)
#define FLASH_KEYR (*(reg_t *)0x40023C04u)
#define FLASH_SR (*(reg_t *)0x40023C0Cu)
#define FLASH_CR (*(reg_t *)0x40023C10u)
#define DMA2 ((dma_t *)0x40026400u)
#define RNG ((rng_t *)0x50060800u)                         /* F405 only */
#define UNIQUE_ID ((const volatile uint32_t *)0x1FFF7A10u) /* 96 bits */

#define DWT_CTRL (*(reg_t *)0xE0001000u)
#define DWT_CYCCNT (*(reg_t *)0xE0001004u)
#define SYSTICK ((systick_t *)0xE000E010u)
#define NVIC_ISER ((reg_t *)0xE000E100u)
#define NVIC_ICER ((reg_t *)0xE000E180u)
#define NVIC_ISPR ((reg_t *)0xE000E200u)
#define NVIC_IPR ((volatile uint8_t *)0xE000E400u)
#define SCB ((scb_t *)0xE000ED00u)
#define DEMCR (*(reg_t *)0xE000EDFCu)

#define RCC_CR_HSION (1u << 0)
#define RCC_CR_HSIRDY (1u << 1)
#define RCC_CR_HSEON (1u << 16)
#define RCC_CR_HSERDY (1u << 17)
#define RCC_CR_HSEBYP (1u << 18)
#define RCC_CR_PLLON (1u << 24)
#define RCC_CR_PLLRDY (1u << 25)
#define RCC_PLLCFGR_SRC_HSE (1u << 22)
#define RCC_CFGR_SW_PLL 2u
#define RCC_CFGR_SWS_MASK (3u << 2)
#define RCC_CFGR_SWS_PLL (2u << 2)
#define RCC_CFGR_PPRE1_SHIFT 10
#define RCC_CFGR_PPRE2_SHIFT 13
#define RCC_AHB1ENR_GPIOA (1u << 0)
#define RCC_AHB1ENR_GPIOB (1u << 1)
#define RCC_AHB1ENR_GPIOC (1u << 2)
#define RCC_AHB1ENR_CCM (1u << 20)
#define RCC_AHB1ENR_DMA2 (1u << 22)
#define RCC_APB1ENR_TIM2 (1u << 0)
#define RCC_APB1ENR_TIM3 (1u << 1)
#define RCC_APB1ENR_TIM5 (1u << 3)
#define RCC_APB1ENR_SPI2 (1u << 14)
#define RCC_APB1ENR_USART2 (1u << 17)
#define RCC_APB1ENR_USART3 (1u << 18)
#define RCC_APB1ENR_I2C1 (1u << 21)
#define RCC_APB1ENR_PWR (1u << 28)
#define RCC_APB2ENR_USART1 (1u << 4)
#define RCC_APB2ENR_ADC1 (1u << 8)
#define RCC_APB2ENR_SYSCFG (1u << 14)

#define RCC_AHB2ENR_RNG (1u << 6)

#define RNG_CR_RNGEN (1u << 2)
#define RNG_SR_DRDY (1u << 0)
#define RNG_SR_CECS (1u << 1)
#define RNG_SR_SECS (1u << 2)

#define FLASH_ACR_LATENCY 7u
#define FLASH_ACR_PRFTEN (1u << 8)
#define FLASH_ACR_ICEN (1u << 9)
#define FLASH_ACR_DCEN (1u << 10)
#define FLASH_ACR_DCRST (1u << 12)
#define FLASH_KEY1 0x45670123u
#define FLASH_KEY2 0xCDEF89ABu
#define FLASH_SR_ERRORS 0xF2u /* OPERR, WRPERR, PGAERR, PGPERR, PGSERR */
#define FLASH_SR_BSY (1u << 16)
#define FLASH_CR_PG (1u << 0)
#define FLASH_CR_SER (1u << 1)
#define FLASH_CR_SNB_SHIFT 3
#define FLASH_CR_PSIZE_X32 (2u << 8) /* at 2.7 V to 3.6 V */
#define FLASH_CR_STRT (1u << 16)
#define FLASH_CR_LOCK (1u << 31)

#define TIM_CR1_CEN (1u << 0)
#define TIM_CR2_MMS_UPDATE (2u << 4) /* TRGO at each update */
#define TIM_CCMR1_OC1_PWM1 (6u << 4)
#define TIM_CCER_CC1E (1u << 0)
#define TIM_EGR_UG (1u << 0)

#define I2C_CR1_PE (1u << 0)
#define I2C_CR1_START (1u << 8)
#define I2C_CR1_STOP (1u << 9)
#define I2C_SR1_SB (1u << 0)
#define I2C_SR1_ADDR (1u << 1)
#define I2C_SR1_BTF (1u << 2)
#define I2C_SR1_TXE (1u << 7)
#define I2C_SR1_AF (1u << 10)

#define SPI_CR1_CPHA (1u << 0)
#define SPI_CR1_MSTR (1u << 2)
#define SPI_CR1_BR_SHIFT 3 /* divided by 2 << BR */
#define SPI_CR1_SPE (1u << 6)
#define SPI_CR1_SSI (1u << 8)
#define SPI_CR1_SSM (1u << 9)
#define SPI_SR_RXNE (1u << 0)
#define SPI_SR_TXE (1u << 1)
#define SPI_SR_BSY (1u << 7)

#define DMA_CR_EN (1u << 0)
#define DMA_CR_CIRC (1u << 8)
#define DMA_CR_MINC (1u << 10)
#define DMA_CR_PSIZE_16 (1u << 11)
#define DMA_CR_MSIZE_16 (1u << 13)
#define DMA_CR_PL_HIGH (2u << 16)
#define DMA_LISR_STREAM0_ERRORS 0x0Cu /* TEIF0, DMEIF0; FEIF0 tells nothing without the FIFO */
#define DMA_LIFCR_STREAM0 0x3Du       /* all flags of the stream */

#define ADC_SR_OVR (1u << 5)
#define ADC_CR2_DMA (1u << 8)
#define ADC_CR2_DDS (1u << 9)               /* requests go on behind the last transfer */
#define ADC_CR2_EXTSEL_TIM2_TRGO (6u << 24) /* RM0090 13.13.3, RM0383 11.12.3 */
#define ADC_CR2_EXTEN_RISING (1u << 28)
#define ADC_CR2_ADON (1u << 0)
#define ADC_CR2_SWSTART (1u << 30)
#define ADC_CR2_JSWSTART (1u << 22)
#define ADC_SR_JEOC (1u << 2)
#define ADC_CCR_ADCPRE_DIV4 (1u << 16)

#define SYSTICK_CTRL_ENABLE (1u << 0)
#define SYSTICK_CTRL_TICKINT (1u << 1)
#define SYSTICK_CTRL_CLKSOURCE (1u << 2)
#define SCB_AIRCR_RESET 0x05FA0004u /* VECTKEY, SYSRESETREQ */
#define DEMCR_TRCENA (1u << 24)
#define DWT_CTRL_CYCCNTENA (1u << 0)

enum {
    IRQ_EXTI9_5 = 23,
    IRQ_USART1 = 37,
    IRQ_USART2 = 38,
    IRQ_USART3 = 39,
};

static inline void nvic_enable(unsigned irq)
{
    NVIC_ISER[irq / 32u] = 1u << (irq % 32u);
}

/* Takes effect before the next instruction. */
static inline void nvic_disable(unsigned irq)
{
    NVIC_ICER[irq / 32u] = 1u << (irq % 32u);
    __asm volatile("dsb\n isb" ::: "memory");
}

static inline bool nvic_is_enabled(unsigned irq)
{
    return (NVIC_ISER[irq / 32u] >> (irq % 32u) & 1u) != 0;
}

static inline void irq_disable(void)
{
    __asm volatile("cpsid i" ::: "memory");
}

static inline void irq_enable(void)
{
    __asm volatile("cpsie i" ::: "memory");
}

#endif
