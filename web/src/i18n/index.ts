/** The language in use: the one that was chosen, else the browser's, else English. */
import { LANGUAGES, type Key } from "./strings";

const KEPT = "einthoven.language";

function kept(): string | null {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null; // a file of a browser that keeps nothing
  }
}

function first(): string {
  const wanted = [kept(), ...navigator.languages.map((tag) => tag.split("-")[0]!)];
  return wanted.find((tag) => tag !== null && tag in LANGUAGES) ?? "en";
}

export let language = first();

export function choose(tag: string): void {
  language = tag in LANGUAGES ? tag : "en";
  try {
    localStorage.setItem(KEPT, language);
  } catch {
    // It holds until the page is closed.
  }
}

export function direction(): "ltr" | "rtl" {
  return LANGUAGES[language]!.dir;
}

export function t(key: Key, values: Record<string, string | number> = {}): string {
  return LANGUAGES[language]!.strings[key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}

/** For keys that are made of what a board says; the word itself where there is none. */
export function word(group: string, name: string): string {
  const key = `${group}_${name}`;
  return key in LANGUAGES.en!.strings ? t(key as Key) : name;
}

export function number(value: number, digits = 0): string {
  return new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}
