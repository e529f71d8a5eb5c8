/** Firmware into a chip by its own boot loader. */
import { flashEsp } from "./esp";
import { unpack, type EspImage, type Stm32Image } from "./images";
import { flashStm32 } from "./stm32";
import type { Progress } from "./trouble";

/** Verifies the image, writes it, and has the chip's content compared. FlashTrouble. */
export async function flash(port: SerialPort, image: Stm32Image | EspImage, told: Progress): Promise<void> {
  const content = unpack(image);
  if (image.way === "stm32") await flashStm32(port, image, content, told);
  else await flashEsp(port, image, content, told);
}
