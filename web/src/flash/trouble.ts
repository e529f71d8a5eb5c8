/** What keeps a chip from being flashed: one line of the strings each, `flash_` and this name. */
export type Trouble = "busy" | "absent" | "wrongChip" | "locked" | "lost" | "unverified" | "damaged" | "unknownChip" | "failed";

/** `values`: what the line names. */
export class FlashTrouble extends Error {
  constructor(
    readonly trouble: Trouble,
    readonly values: Record<string, string> = {},
  ) {
    super(trouble);
  }
}

/** How far it is: `share` of the stage, 0 to 1. */
export type Progress = (stage: "connecting" | "erasing" | "writing" | "verifying", share: number) => void;
