/** Times for people: relative, with one clock for the page. */

class Clock {
  now = $state(Date.now());
}

export const clock = new Clock();
setInterval(() => (clock.now = Date.now()), 1000);

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];
const words = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });

// Made once: to make one takes longer than to write a hundred times with it.
const whole = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });

/** "3 min. ago"; seconds are not counted out. */
export function ago(moment: string | number | Date, now: number): string {
  const seconds = Math.round((new Date(moment).getTime() - now) / 1000);
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) return words.format(Math.round(seconds / size), unit);
  }
  return seconds > 5 ? `in ${seconds} s` : "just now";
}

/** The exact time, in the reader's zone, with the zone. */
export function exact(moment: string | number | Date): string {
  return whole.format(new Date(moment));
}

/** "1 h 02 min", "3 min 07 s", "4.2 s" between two moments. */
export function span(from: string | number | Date, to: string | number | Date): string {
  const all = Math.max(0, (new Date(to).getTime() - new Date(from).getTime()) / 1000);
  if (all < 10) return `${all.toFixed(1)} s`;
  const seconds = Math.round(all);
  const two = (value: number) => String(value).padStart(2, "0");
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} min`;
}
