// Sizes and times as people read them; the same words as the server's i18n/numbers.py.

import { language } from "./messages.js";

const UNITS = ["bytes", "kB", "MB", "GB", "TB", "PB"];
const STEP = 1000;
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;

/**
 * @param {number} amount
 * @param {string} unit
 * @param {"short" | "long"} [unitDisplay]
 */
function formatUnit(amount, unit, unitDisplay = "short") {
  const format = new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay });
  return format.format(amount).replaceAll("\u00a0", " ");
}

/** @param {number} octets */
export function size(octets) {
  let [amount, decimals] = [0, 0];
  const unit = UNITS.find((unit, power) => {
    decimals = power > 1 ? 1 : 0;
    amount = Math.floor((Math.max(octets, 0) / STEP ** power) * 10 ** decimals + 0.5) / 10 ** decimals;
    return amount < STEP || unit === UNITS.at(-1);
  });
  if (unit === "bytes") return formatUnit(amount, "byte", "long");
  const number = new Intl.NumberFormat(language, { minimumFractionDigits: decimals }).format(amount);
  return `${number} ${unit}`;
}

/** @param {number} octetsPerSecond */
export const speed = (octetsPerSecond) => `${size(octetsPerSecond)}/s`;

/** @param {number} amount */
export function seconds(amount) {
  const whole = Math.max(1, Math.round(amount));
  if (whole < 2 * MINUTE) return formatUnit(whole, "second");
  if (whole < 2 * HOUR) return formatUnit(Math.round(whole / MINUTE), "minute");
  if (whole < 2 * DAY) {
    const minutes = Math.round(whole / MINUTE);
    const hours = formatUnit(Math.floor(minutes / 60), "hour");
    return minutes % 60 ? `${hours} ${formatUnit(minutes % 60, "minute")}` : hours;
  }
  return formatUnit(Math.round(whole / DAY), "day", "long");
}

/**
 * A length as clocks show it: 3:07, or 1:02:03.
 * @param {number} amount
 */
export function clock(amount) {
  const whole = Math.floor(Math.max(amount, 0));
  const [hours, minutes] = [Math.floor(whole / HOUR), Math.floor((whole % HOUR) / MINUTE)];
  /** @param {number} number */
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(whole % MINUTE)}` : `${minutes}:${two(whole % MINUTE)}`;
}
