/** The logs of a build: how long they are is told, their lines are read when they are looked at. */
import { getBytes, segment } from "./api";

const MOST_BYTES = 128 * 1024; // of a part that are read; a mark comes about every 64 KiB
const KEPT_BYTES = 1 << 20; // of all logs in memory: a window over many short ones keeps all that it shows
const LONGEST = 4_000; // characters of a line that are shown
const NEWLINE = 10;
const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });
const STAMP = /^\[(\d{4}-\d\d-\d\dT[\d:.]+Z)\] /; // when the line was printed

export interface Line {
  text: string;
  at: string; // its time; "" where there is none
  isCut: boolean; // more of it is stored than is shown
}

/** What the server says of the log of a step. */
export interface Extent {
  step: string;
  size: number; // bytes
  lines: number;
  marks: [number, number][]; // new ones: where a line begins, and how many stand before it
}

/** What lies between two marks. Only the lines that are looked at are made of its bytes. */
class Part {
  bytes = new Uint8Array(); // from its mark on
  reading = false;
  private ends: number[] = []; // where its lines end
  private lines: (Line | undefined)[] = []; // those that were looked at
  private isCut = false;

  get isEmpty(): boolean {
    return !this.ends.length;
  }

  append(more: Uint8Array<ArrayBuffer>): void {
    const whole = this.bytes.length ? new Uint8Array(this.bytes.length + more.length) : more;
    if (whole !== more) {
      whole.set(this.bytes);
      whole.set(more, this.bytes.length);
    }
    this.bytes = whole;
  }

  /** Find its lines: it is `width` bytes long, of which all or the first are here. */
  divide(width: number): void {
    if (this.bytes.length > width) this.bytes = this.bytes.slice(0, width); // a new mark ended it earlier
    const ends: number[] = [];
    for (let at = 0; at < this.bytes.length; ) {
      const end = this.bytes.indexOf(NEWLINE, at);
      ends.push(end < 0 ? this.bytes.length : end);
      at = (ends.at(-1) ?? 0) + 1;
    }
    this.lines.length = Math.max(0, Math.min(this.ends.length, ends.length) - 1); // the last one may be longer now
    [this.ends, this.isCut] = [ends, this.bytes.length < width];
  }

  line(index: number): Line | undefined {
    const end = this.ends[index];
    if (end === undefined) return undefined;
    return (this.lines[index] ??= this.read(index, end));
  }

  private read(index: number, end: number): Line {
    const begin = index ? (this.ends[index - 1] ?? 0) + 1 : 0;
    const text = UTF8.decode(this.bytes.subarray(begin, end));
    const at = STAMP.exec(text);
    const rest = at ? text.slice(at[0].length) : text;
    const cut = rest.length > LONGEST;
    return {
      text: cut ? rest.slice(0, LONGEST) : rest,
      at: at?.[1] ?? "",
      isCut: cut || (this.isCut && index === this.ends.length - 1),
    };
  }
}

/** The parts that are in memory, the one that was looked at last at the end. */
export class Cache {
  private parts = new Map<string, Part>();

  part(key: string): Part | undefined {
    return this.parts.get(key);
  }

  /** Return a part, new or not, as the one that was looked at last. */
  touch(key: string): Part {
    const found = this.parts.get(key) ?? new Part();
    this.parts.delete(key);
    this.parts.set(key, found);
    let size = 0;
    for (const part of this.parts.values()) size += part.bytes.length;
    for (const [oldest, part] of this.parts) {
      if (size <= KEPT_BYTES) break;
      if (part.reading || part === found) continue;
      this.parts.delete(oldest);
      size -= part.bytes.length;
    }
    return found;
  }
}

/** The log of one step. Lines count from 0. */
export class StepLog {
  size = $state(0);
  count = $state(0); // lines, the unfinished last one included
  failure: unknown = $state.raw();
  private version = $state(0);
  private offsets: number[] = [];
  private firsts: number[] = [];

  constructor(
    private readonly build: string,
    readonly step: string,
    private readonly cache: Cache,
  ) {}

  extend(extent: Extent): void {
    if (extent.marks[0]?.[0] === 0) [this.offsets, this.firsts] = [[], []]; // the stream began anew
    for (const [offset, line] of extent.marks) {
      this.offsets.push(offset);
      this.firsts.push(line);
    }
    [this.size, this.count] = [extent.size, extent.lines];
    this.version++;
  }

  /** One line; undefined while it is not read. */
  line(number: number): Line | undefined {
    void this.version;
    const at = this.partOf(number);
    return this.cache.part(this.key(at))?.line(number - (this.firsts[at] ?? 0));
  }

  /** Read what is missing of the lines from `first` on; those before `end`. */
  look(first: number, end: number): void {
    if (end <= first || !this.offsets.length) return;
    for (let at = this.partOf(first); at <= this.partOf(end - 1); at++) void this.fill(at);
  }

  private key(at: number): string {
    return `${this.step}\n${at}`;
  }

  private partOf(number: number): number {
    let [low, high] = [0, this.firsts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.firsts[middle] ?? 0) <= number) low = middle;
      else high = middle - 1;
    }
    return Math.max(0, low);
  }

  private async fill(at: number): Promise<void> {
    const part = this.cache.touch(this.key(at));
    if (part.reading) return;
    const begin = this.offsets[at] ?? 0;
    const width = () => (this.offsets[at + 1] ?? this.size) - begin; // it may grow meanwhile
    const wanted = Math.min(width(), MOST_BYTES);
    if (part.bytes.length < wanted) {
      part.reading = true;
      try {
        const query = { step: this.step, offset: begin + part.bytes.length, limit: wanted - part.bytes.length };
        part.append(await getBytes(`/builds/${segment(this.build)}/logs`, query));
        this.failure = undefined;
      } catch (reason) {
        this.failure = reason;
        return;
      } finally {
        part.reading = false;
      }
    } else if (part.bytes.length <= width() && !part.isEmpty) return;
    part.divide(width());
    this.version++;
  }
}

/** A step with its log, as the log view shows it. */
export class Section {
  title = $state("");
  status = $state("");
  started: string | null = $state(null);
  finished: string | null = $state(null);
  reason = $state("");
  isOpen = $state(false);
  byItself = false; // whether it was opened because its step began

  constructor(readonly log: StepLog) {
    this.title = log.step;
  }

  get name(): string {
    return this.log.step;
  }
}

/** The fragment of a link to a line: `#step:123`; the first line is 1. */
export function lineLink(step: string, line: number): string {
  return `#${encodeURIComponent(step)}:${line}`;
}

/** Read such a fragment. */
export function linkedLine(hash: string): { step: string; line: number } | undefined {
  const found = /^#(.+):(\d{1,12})$/.exec(hash);
  if (!found) return undefined;
  try {
    return { step: decodeURIComponent(found[1] ?? ""), line: Number(found[2]) };
  } catch {
    return undefined;
  }
}
