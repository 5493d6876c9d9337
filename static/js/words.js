// Numbers as people read them; the same words as the server's words.py.

import { language, said } from "./said.js";

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];
const STEP = 1000;
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;
const POINT = new Intl.NumberFormat(language).format(1.5).at(1);

const tenths = (amount) => Math.round(amount * 10) / 10;

export function size(octets) {
  let amount = Math.max(octets, 0);
  let unit = 0;
  while (tenths(amount) >= STEP && unit < UNITS.length - 1) {
    amount /= STEP;
    unit += 1;
  }
  const precise = unit > 1 && tenths(amount) < 10;
  const number = amount.toFixed(precise ? 1 : 0);
  return `${precise ? number.replace(".", POINT) : number} ${UNITS[unit]}`;
}

export const speed = (octetsPerSecond) => `${size(octetsPerSecond)}/s`;

export function seconds(amount) {
  const whole = Math.max(1, Math.round(amount));
  if (whole < 2 * MINUTE) return `${whole} s`;
  if (whole < 2 * HOUR) return `${Math.round(whole / MINUTE)} min`;
  if (whole < 2 * DAY) {
    const minutes = Math.round(whole / MINUTE);
    const rest = minutes % 60;
    const hours = `${Math.floor(minutes / 60)} h`;
    return rest ? `${hours} ${rest} min` : hours;
  }
  return said("{number} days", { number: Math.round(whole / DAY) });
}
