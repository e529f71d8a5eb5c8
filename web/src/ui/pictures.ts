/** Small pictures of what to do. Lines in the text's colour, what matters in the accent's. */

const BODY = '<path d="M24 8a6 6 0 1 1 0 12 6 6 0 0 1 0-12ZM8 62V36c0-8 6-12 16-12s16 4 16 12v26" class="line"/>';
const DOT = (x: number, y: number, name: string) =>
  `<circle cx="${x}" cy="${y}" r="4.5" class="mark"/><text x="${x}" y="${y + 1.8}" class="name">${name}</text>`;

export const PICTURES = {
  /** Three electrodes: right arm, left arm, left leg, as the patient has them. */
  electrodes: `${BODY}${DOT(14, 31, "R")}${DOT(34, 31, "L")}${DOT(33, 55, "F")}`,
  cable: '<path d="M4 40h12m0-8v16h8c5 0 8-3 8-8s-3-8-8-8zM60 40H48m0-9v18h-6V31zM42 36h-5m5 8h-5" class="line"/><path d="M32 18l3 6m5-8v6m8-4l-3 6" class="strong"/>',
  skin: '<path d="M6 52c10-6 20-6 30 0s16 6 22 0" class="line"/><rect x="20" y="26" width="24" height="14" rx="6" class="line"/><circle cx="32" cy="33" r="4" class="mark"/><path d="M12 18l6 6M32 10v9M52 18l-6 6" class="strong"/>',
  still: '<path d="M20 12a6 6 0 1 1 0 12 6 6 0 0 1 0-12ZM14 28v18h14l4 14M14 34l14 8h10M8 62h34V50M6 34v28" class="line"/><path d="M48 22c4 3 4 9 0 12M54 18c7 5 7 15 0 20" class="strong faint"/><path d="M46 40 60 16" class="strong"/>',
  mains: '<path d="M8 22h14v12a7 7 0 0 1-14 0zM11 22v-8m8 8v-8M15 41v14" class="line"/><path d="M28 34q4-12 8 0t8 0 8 0 8 0" class="strong"/>',
  wait: '<circle cx="32" cy="36" r="20" class="line"/><path d="M32 24v12l8 6" class="strong"/>',
  /** A finger on BOOTSEL while the cable goes in. */
  bootsel:
    '<rect x="20" y="14" width="24" height="46" rx="3" class="line"/><path d="M27 14v-4h10v4M32 10V2" class="line"/><circle cx="36" cy="28" r="4" class="mark"/><path d="M60 28H46m5-5-5 5 5 5" class="strong"/>',
  /** A file onto a drive. */
  drive:
    '<path d="M8 40h48v16H8zM14 48h12M46 48h4" class="line"/><path d="M26 4h9l5 5v13H26z" class="line"/><path d="M33 16v18m-6-6 6 6 6-6" class="strong"/>',
} as const;

export type Picture = keyof typeof PICTURES;
