/* Registers of the STM32F103 that Einthoven uses, and no others.

   Source: ST RM0008, sections in brackets; field names as there. What every Cortex-M has is in
   boards/cortex_m/cortex_m.h. */
#ifndef STM32F1_H
#define STM32F1_H

#include "cortex_m.h"
#include "stm32.h"

typedef struct { /* [7.3] */
    reg_t CR, CFGR, CIR, APB2RSTR, APB1RSTR, AHBENR, APB2ENR, APB1ENR, BDCR, CSR;
} rcc_t;

typedef struct { /* [9.2] */
    reg_t CR[2], IDR, ODR, BSRR, BRR, LCKR;
} gpio_t;

typedef struct { /* [11.12] */
    reg_t SR, CR1, CR2, SMPR1, SMPR2, JOFR[4], HTR, LTR, SQR1, SQR2, SQR3, JSQR, JDR[4], DR;
} adc_t;

typedef struct { /* [15.4] */
    reg_t CR1, CR2, SMCR, DIER, SR, EGR, CCMR1, CCMR2, CCER, CNT, PSC, ARR;
} tim_t;

typedef struct { /* [13.4.3] */
    reg_t CCR, CNDTR, CPAR, CMAR;
} dma_channel_t;

typedef struct { /* [3.4] */
    reg_t ACR, KEYR, OPTKEYR, SR, CR, AR;
} flash_t;

#define TIM2 ((tim_t *)0x40000000u)
#define TIM3 ((tim_t *)0x40000400u)
#define GPIO(port) ((gpio_t *)(0x40010800u + 0x400u * (port))) /* 0: GPIOA */
#define ADC1 ((adc_t *)0x40012400u)
#define USART1 ((usart_t *)0x40013800u)
#define DMA1_ISR (*(reg_t *)0x40020000u)
#define DMA1_IFCR (*(reg_t *)0x40020004u)
#define DMA_CHANNEL_ADC1 ((dma_channel_t *)0x40020008u)      /* DMA1's first [13.3.7, table 78] */
#define DMA_CHANNEL_USART1_RX ((dma_channel_t *)0x40020058u) /* its fifth */
#define RCC ((rcc_t *)0x40021000u)
#define FLASH ((flash_t *)0x40022000u)
#define UNIQUE_ID ((const volatile uint32_t *)0x1FFFF7E8u) /* 96 bits [30.2] */

#define DWT_CTRL (*(reg_t *)0xE0001000u)
#define DWT_CYCCNT (*(reg_t *)0xE0001004u)
#define DEMCR (*(reg_t *)0xE000EDFCu)
#define DEMCR_TRCENA (1u << 24)
#define DWT_CTRL_CYCCNTENA (1u << 0)

#define RCC_CR_HSEON (1u << 16)
#define RCC_CR_HSERDY (1u << 17)
#define RCC_CR_PLLON (1u << 24)
#define RCC_CR_PLLRDY (1u << 25)
#define RCC_CFGR_SW_PLL 2u
#define RCC_CFGR_SWS_MASK (3u << 2)
#define RCC_CFGR_SWS_PLL (2u << 2)
#define RCC_CFGR_PPRE1_DIV2 (4u << 8)
#define RCC_CFGR_ADCPRE_DIV6 (2u << 14)
#define RCC_CFGR_PLLSRC_HSE (1u << 16) /* else the RC oscillator, halved */
#define RCC_CFGR_PLLMUL_SHIFT 18       /* 0 means 2 */
#define RCC_AHBENR_DMA1 (1u << 0)
#define RCC_APB1ENR_TIM2 (1u << 0)
#define RCC_APB1ENR_TIM3 (1u << 1)
#define RCC_APB2ENR_IOPA (1u << 2)
#define RCC_APB2ENR_ADC1 (1u << 9)
#define RCC_APB2ENR_USART1 (1u << 14)

#define FLASH_ACR_LATENCY_2 2u
#define FLASH_ACR_PRFTBE (1u << 4)
#define FLASH_KEY1 0x45670123u
#define FLASH_KEY2 0xCDEF89ABu
#define FLASH_SR_BSY (1u << 0)
#define FLASH_SR_ERRORS 0x14u /* PGERR, WRPRTERR; written ones clear them */
#define FLASH_CR_PG (1u << 0)
#define FLASH_CR_PER (1u << 1)
#define FLASH_CR_STRT (1u << 6)
#define FLASH_CR_LOCK (1u << 7)

#define ADC_CR2_ADON (1u << 0)
#define ADC_CR2_CAL (1u << 2)
#define ADC_CR2_RSTCAL (1u << 3)
#define ADC_CR2_DMA (1u << 8)
#define ADC_CR2_EXTSEL_TIM3_TRGO (4u << 17) /* [11.7, table 69] */
#define ADC_CR2_EXTTRIG (1u << 20)

#define DMA_ISR_TCIF5 (1u << 17) /* a round is complete; DMA1_IFCR clears it */
#define DMA_CCR_EN (1u << 0)
#define DMA_CCR_CIRC (1u << 5)
#define DMA_CCR_MINC (1u << 7)
#define DMA_CCR_PSIZE_16 (1u << 8)
#define DMA_CCR_MSIZE_16 (1u << 10)
#define DMA_CCR_PL_HIGH (2u << 12)

#define TIM_CR1_CEN (1u << 0)
#define TIM_CR2_MMS_UPDATE (2u << 4) /* TRGO: once a period */
#define TIM_SMCR_SMS_CLOCK (7u << 0) /* counts its trigger */
#define TIM_SMCR_TS_TIM3 (2u << 4)   /* of TIM2 [15.4.3, table 86] */

/* CNF and MODE of a pin [9.2.1]. */
enum {
    PIN_ANALOGUE = 0x0,
    PIN_PULLED_INPUT = 0x8,   /* up or down, as ODR says */
    PIN_FUNCTION_50MHZ = 0xB, /* alternate function, push-pull */
};

enum { IRQ_USART1 = 37 }; /* [10.1.2, table 63] */

static inline void pin_mode_a(unsigned pin, uint32_t mode)
{
    rcc_enable(&RCC->APB2ENR, RCC_APB2ENR_IOPA);
    reg_t *cr = &GPIO(0u)->CR[pin / 8u];
    const unsigned at = 4u * (pin % 8u);
    *cr = (*cr & ~(15u << at)) | mode << at;
}

#endif
